// A plane with a classifier's regions, their boundaries, uncertain areas, and paths.

import { brush, clip, rgb } from "./dom.js";
import { boxAround, layOut } from "./labels.js";
import { Plane } from "./plane.js";

/** @import { Lattice } from "./lattice.js" */

/**
 * @typedef {{ points: number[][], colour: string, dash?: number[], strong?: boolean }} Way - vertices on the plane
 * @typedef {object} Seen
 * @property {Lattice} lattice
 * @property {string[]} inks - of the classes
 * @property {number} strength - of the regions, from 0 to 1
 * @property {number} threshold - confidence below which it counts as low; 0 if that is not shown
 * @property {Float32Array | null} bare - above 0 where there are no data
 * @property {[number, number, number, number][]} names - class, position, and its distance from the edge of the region
 * @property {string[]} classes
 * @property {Way[]} ways
 */

const SIZE = 15; // of names, px
const LINE = 0.7; // half the width of a boundary, px
const COARSE = 5; // px per cell of the first, coarse rendering

export class Regions extends Plane {
  /** @type {Seen | null} */
  scene = null;
  /** @type {Generator<undefined, void> | null} */
  painting = null;
  /** @type {Field | null} */
  field = null;
  /** @type {CanvasRenderingContext2D | null} */
  top = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  resting;
  /** @type {(import("./labels.js").Box | null)[]} */
  named = []; // where names of regions stand

  /** @param {Seen} seen */
  see(seen) {
    this.scene = seen;
    this.#paint();
  }

  // Draws only paths and names.
  overlay() {
    const { scene, stage } = this;
    if (!scene || !this.view) return;
    if (!this.top) {
      const canvas = document.createElement("canvas");
      canvas.setAttribute("aria-hidden", "true");
      stage.insertBefore(canvas, this.layers.over.canvas);
      this.top = brush(canvas);
    }
    const { canvas } = this.top;
    [canvas.width, canvas.height] = [Math.round(this.width * this.ratio), Math.round(this.height * this.ratio)];
    this.top.scale(this.ratio, this.ratio);
    const style = getComputedStyle(stage);
    const ink = style.getPropertyValue("--st-text-color").trim() || "#333333";
    const paper = style.getPropertyValue("--st-background-color").trim() || "#ffffff";
    drawNames(this, this.top, scene, ink, paper);
    for (const way of scene.ways) drawWay(this, this.top, way, paper);
  }

  // Fits the view to the classified square.
  fit() {
    const [low, high] = this.extent ?? [
      [-3, -3],
      [3, 3],
    ];
    this.centre([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2], (high[0] - low[0]) / 2);
    this.first = this.seen.scale;
  }

  /**
   * Shows a square, given its centre and half width.
   * @param {number[]} middle
   * @param {number} reach
   */
  centre([x, y], reach) {
    if (!this.width) return;
    this.view = { x, y, scale: Math.max(this.width, this.height) / (2 * reach) };
    this.moved();
  }

  moved() {
    super.moved();
    this.overlay();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.#paint(), 80);
  }

  // Paints in time slices, between which events are handled and frames are drawn.
  #paint() {
    if (!this.scene || !this.view) return;
    this.overlay();
    const work = (this.painting = paint(this, this.scene));
    const slice = () => {
      if (this.painting !== work) return;
      const [start, before] = [performance.now(), this.sheet];
      let step;
      do step = work.next();
      while (!step.done && performance.now() - start < 12);
      if (step.done || this.sheet !== before) this.redraw("under");
      if (!step.done) setTimeout(slice);
    };
    slice();
  }
}

// Values at the pixels of a view, kept until the view or the lattice changes.
/**
 * @typedef {object} Field
 * @property {unknown[]} of
 * @property {number} columns
 * @property {Int16Array} winner - -1 outside
 * @property {Float32Array} confidence
 * @property {Float32Array} line - how much of a pixel a boundary covers
 * @property {number} grain
 */

/**
 * @param {Regions} plane
 * @param {Lattice} lattice
 * @param {number} grain - pixels of the view per computed pixel, along each side
 * @returns {Generator<undefined, Field>}
 */
function* measured(plane, lattice, grain) {
  const [columns, rows] = [Math.ceil(plane.width / grain), Math.ceil(plane.height / grain)];
  const [left, top] = plane.place(0, 0);
  const step = grain / plane.seen.scale;
  const winner = new Int16Array(columns * rows).fill(-1);
  const confidence = new Float32Array(columns * rows);
  const lead = new Float32Array(columns * rows);
  for (let y = 0; y < rows; y++) {
    const b = top - (y + 0.5) * step;
    for (let x = 0; x < columns; x++) {
      const corners = lattice.corners(left + (x + 0.5) * step, b);
      if (!corners) continue;
      const scores = lattice.score(corners);
      let best = 0;
      let second = -Infinity;
      for (let k = 1; k < scores.length; k++) {
        if (scores[k] > scores[best]) [second, best] = [scores[best], k];
        else if (scores[k] > second) second = scores[k];
      }
      const first = scores[best];
      let sum = 1;
      if (first - second < 12) {
        sum = 0;
        for (let k = 0; k < scores.length; k++) sum += Math.exp(scores[k] - first);
      }
      const at = y * columns + x;
      winner[at] = best;
      confidence[at] = 1 / sum;
      lead[at] = first - second;
    }
    if (y % 4 === 3) yield;
  }
  const line = lead.map((_, at) => (winner[at] < 0 ? 0 : edge(lead, winner, at, at % columns, columns)));
  return { of: known(plane, lattice), columns, winner, confidence, line, grain };
}

const known = (plane, lattice) => [lattice, plane.view, plane.width, plane.height];

// Paints the view coarsely at once, and then finely.
/**
 * @param {Regions} plane
 * @param {Seen} scene
 * @returns {Generator<undefined, void>}
 */
function* paint(plane, scene) {
  const now = known(plane, scene.lattice);
  const same = plane.field?.of.every((each, i) => each === now[i]);
  if (!same || plane.field?.grain !== 1) {
    if (!same) plane.field = yield* measured(plane, scene.lattice, COARSE);
    if (plane.field) colour(plane, scene, plane.field);
    plane.field = yield* measured(plane, scene.lattice, 1);
  }
  if (plane.field) colour(plane, scene, plane.field);
}

/**
 * @param {Regions} plane
 * @param {Seen} scene
 * @param {Field} field
 */
function colour(plane, { lattice, inks, strength, threshold, bare }, { columns, winner, confidence, line, grain }) {
  const [left, top] = plane.place(0, 0);
  const step = grain / plane.seen.scale;
  const style = getComputedStyle(plane.stage);
  const named = (name, other) => colourOf(style.getPropertyValue(name).trim() || other);
  const ink = named("--st-text-color", "#333333");
  const paper = named("--st-background-color", "#ffffff");
  const colours = inks.map(rgb);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [columns, winner.length / columns];
  const context = brush(canvas);
  const image = context.createImageData(canvas.width, canvas.height);
  const least = 1 / lattice.grid.classes;
  for (let at = 0; at < winner.length; at++) {
    if (winner[at] < 0) continue;
    const [x, y] = [at % columns, Math.floor(at / columns)];
    const own = colours[winner[at] % colours.length];
    const sure = clip((confidence[at] - least) / (1 - least), 0, 1);
    let share = strength * (0.12 + 0.88 * sure ** 1.5);
    let dark = grain > 1 ? 0 : line[at];
    if (confidence[at] < threshold) [share, dark] = [0, Math.max(dark * 0.8, 0.62)];
    else if (bare && grain === 1 && (x + y) % 9 < 2) {
      const corners = lattice.corners(left + (x + 0.5) * step, top - (y + 0.5) * step);
      if (corners && lattice.between(bare, corners) > 0) dark = 0.75;
    }
    for (let c = 0; c < 3; c++) {
      const ground = paper[c] + share * (own[c] - paper[c]);
      image.data[4 * at + c] = ground + 0.85 * dark * (ink[c] - ground);
    }
    image.data[4 * at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  plane.sheet = { canvas, a: left, b: top, wide: columns * step, high: canvas.height * step, smooth: true };
}

// How much of a pixel a boundary covers: the margin in nats divided by its slope is the distance from the boundary.
function edge(lead, winner, at, x, columns) {
  const own = winner[at];
  let [slope, beside] = [0, false];
  for (const other of [x ? at - 1 : at, x < columns - 1 ? at + 1 : at, at - columns, at + columns]) {
    if (other < 0 || other >= lead.length || winner[other] < 0) continue;
    if (winner[other] === own) slope = Math.max(slope, Math.abs(lead[at] - lead[other]));
    else [slope, beside] = [Math.max(slope, lead[at] + lead[other]), true];
  }
  if (!slope) return beside ? 1 : 0;
  return clip(LINE + 0.5 - lead[at] / slope, 0, 1);
}

function drawNames(plane, context, { names, classes }, ink, paper) {
  context.font = `bold ${SIZE}px sans-serif`;
  context.textAlign = "center";
  context.lineWidth = 4;
  context.lineJoin = "round";
  context.strokeStyle = paper;
  context.fillStyle = ink;
  const words = names.map(([label, a, b, room]) => {
    const name = classes[label] ?? String(label);
    const text = name.length > 16 ? `${name.slice(0, 15).trimEnd()}…` : name;
    const [x, y] = plane.screen(a, b);
    const far = room * plane.seen.scale; // so that a name that gives way to another stays within its region
    return { text, x, y, far, wide: context.measureText(text).width / 2, tall: 0.6 * SIZE };
  });
  plane.named = layOut(words, plane.width, plane.height).map((place, i) => {
    if (!place) return null;
    const [x, y] = place;
    context.strokeText(words[i].text, x, y + SIZE / 3);
    context.fillText(words[i].text, x, y + SIZE / 3);
    return boxAround(place, words[i].wide, words[i].tall);
  });
}

/**
 * @param {Regions} plane
 * @param {CanvasRenderingContext2D} context
 * @param {Way} way
 * @param {string} paper
 */
function drawWay(plane, context, { points, colour, dash, strong }, paper) {
  const line = (stroke, width, pattern) => {
    context.strokeStyle = stroke;
    context.lineWidth = width;
    context.setLineDash(pattern);
    context.beginPath();
    points.forEach(([a, b], i) => {
      const [x, y] = plane.screen(a, b);
      if (i) context.lineTo(x, y);
      else context.moveTo(x, y);
    });
    context.stroke();
  };
  context.lineJoin = context.lineCap = "round";
  line(paper, strong ? 6.5 : 4.5, []);
  line(colour, strong ? 3.5 : 2, dash ?? []);
  context.setLineDash([]);
}

/** @param {string} text - "#rrggbb" or "rgb(1, 2, 3)" */
function colourOf(text) {
  if (text.startsWith("#")) return rgb(text.slice(0, 7));
  const found = text.match(/[\d.]+/g) ?? ["128", "128", "128"];
  return found.slice(0, 3).map(Number);
}
