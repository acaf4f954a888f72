// A plane of latent space on canvases: background, points, ellipses; panned and zoomed by pointer and keys.

import { Basis } from "./basis.js";
import { brush, element } from "./dom.js";
import { listen } from "./gestures.js";
import { drawMarks } from "./marks.js";
import { drawPoints } from "./points.js";
import { drawUnder } from "./scales.js";
import { densitySheet, manifoldSheet } from "./sheets.js";
import { Viewport } from "./viewport.js";

/** @import { Box } from "./labels.js" */
/** @import { Vector } from "./net.js" */
/** @import { Model } from "./store.js" */

/**
 * @typedef {{ a: number, b: number, row: number }} Place - row is that of the image there, or -1
 * @typedef {{ a: number, b: number, shape: "ring" | "target" | "cross" | "hand", covariance?: number[] | null, colour?: string }} Mark
 * @typedef {{ canvas: HTMLCanvasElement, a: number, b: number, wide: number, high: number, smooth?: boolean }} Sheet
 * @typedef {"under" | "points" | "over"} Layer
 * @typedef {"none" | "manifold" | "density"} Under
 * @typedef {Pick<Model, "J" | "count" | "means" | "labels" | "classes" | "colours" | "deviations" | "decode">} Points
 */

/** @type {Record<Layer, (plane: Plane, context: CanvasRenderingContext2D) => void>} */
const DRAW = { under: drawUnder, points: drawPoints, over: drawMarks };

export class Plane extends Viewport {
  /** @type {Record<Layer, CanvasRenderingContext2D>} */
  layers;
  /** @type {Set<number>} */
  hidden;
  /** @type {Mark[]} */
  marks;
  /** @type {Under} */
  kind;
  /** @type {Set<Layer>} */
  dirty;
  /** @type {Sheet | null} */
  sheet;
  /** @type {Sheet | null} */
  given;
  /** @type {Generator<undefined, void> | null} */
  making;
  /** @type {Basis} */
  basis; // none until it is set
  /** @type {Float32Array} */
  across;
  /** @type {Float32Array} */
  up;
  /** @type {({ name: string, label: number, a: number, b: number } | null)[]} */
  names;
  /** @type {Vector} */
  through;
  /** @type {[number, number] | null} */
  kept = null;
  /** @type {(Box | null)[]} */
  labels = []; // where names of classes stand
  /** @type {number[][] | null} */
  extent;
  /** @type {string} */
  aggregate;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  settling;

  /**
   * @param {HTMLElement} stage
   * @param {Points} model
   * @param {{ hover(place: Place | null): void, pick(place: Place): void, nudge(da: number, db: number): void }} on
   */
  constructor(stage, model, on) {
    super();
    this.stage = stage;
    this.on = on;
    const layer = (name) => {
      const canvas = element("canvas", { class: name, "aria-hidden": "true" });
      stage.append(canvas);
      return brush(canvas);
    };
    this.layers = { under: layer("under"), points: layer("points"), over: layer("over") };
    this.hidden = new Set();
    this.marks = [];
    this.kind = "none";
    this.pending = 0;
    this.dirty = new Set();
    this.sheet = this.given = this.making = this.extent = null;
    listen(this);
    new ResizeObserver(() => {
      this.#resize();
      this.#drawNow(); // a canvas is empty after its size has changed
    }).observe(stage);
    this.model = model;
    this.ratio = 1;
    this.ink = this.paper = this.aggregate = "";
  }

  // directions (2 * J) and mean (J) of the plane; for J = 1, each class is on a separate line.
  setBasis(basis) {
    if (JSON.stringify(basis) === JSON.stringify(this.basis)) return;
    this.basis = new Basis(basis);
    const { model } = this;
    const { J, count, means, labels } = model;
    let kinds = 1;
    for (const label of labels) kinds = Math.max(kinds, label + 1);
    this.across = new Float32Array(count);
    this.up = new Float32Array(count);
    for (let n = 0; n < count; n++) {
      const [a, b] = this.project(means.subarray(n * J, n * J + J));
      this.across[n] = a;
      this.up[n] = J > 1 ? b : (labels[n] - (kinds - 1) / 2) * Math.min(0.4, 4 / kinds);
    }
    this.nameClasses();
    this.view = this.home = null;
    this.#resize();
  }

  // Names are placed at the medians of their classes.
  nameClasses() {
    const { classes, labels } = this.model;
    this.names = classes.map((name, label) => {
      const rows = [...labels.keys()].filter((n) => labels[n] === label);
      const median = (values) => rows.map((n) => values[n]).sort((x, y) => x - y)[rows.length >> 1];
      return rows.length ? { name, label, a: median(this.across), b: median(this.up) } : null;
    });
  }

  // The plane goes through z; the decoded images change if z has left it.
  setThrough(z) {
    const before = this.through;
    this.through = z;
    if (!before || before.length !== z.length || this.kind !== "manifold") return;
    const [a, b] = this.project(z);
    const same = this.lift(a, b, before);
    if (same.some((v, j) => Math.abs(v - z[j]) > 1e-4)) this.#renderUnder();
  }

  project(z) {
    return this.basis.project(z);
  }

  lift(a, b, z) {
    return this.basis.lift(a, b, z);
  }

  spread(deviation) {
    return this.basis.spread(deviation);
  }

  /**
   * Covariance of q(z|x) of a row, for a model with standard deviations.
   * @param {number} row
   */
  deviationOf(row) {
    const { deviations, J } = this.model;
    return deviations?.subarray(row * J, row * J + J);
  }

  // Shows all points.
  fit() {
    let [low, high] = this.extent ?? [
      [-2, -2],
      [2, 2],
    ];
    for (let n = 0; n < this.across.length; n++) {
      low = [Math.min(low[0], this.across[n]), Math.min(low[1], this.up[n])];
      high = [Math.max(high[0], this.across[n]), Math.max(high[1], this.up[n])];
    }
    this.frame(low, high);
  }

  // The row of the point under a pixel, or -1.
  nearest(px, py, reach = 7) {
    let best = -1;
    let least = reach * reach;
    const { labels } = this.model;
    const { x, y, scale } = this.seen;
    const a = x + (px - this.width / 2) / scale;
    const b = y - (py - this.height / 2) / scale;
    const square = scale * scale;
    for (let n = 0; n < this.across.length; n++) {
      const da = this.across[n] - a;
      const db = this.up[n] - b;
      const distance = (da * da + db * db) * square;
      if (distance < least && !this.hidden.has(labels[n])) [best, least] = [n, distance];
    }
    return best;
  }

  // Marks are above everything: {a, b, covariance, colour, shape}.
  setMarks(marks) {
    this.marks = marks;
    this.dirty.add("over");
    this.#drawNow(); // in the same frame as the picture beside it
  }

  // The selected position, which class names do not cover.
  setKept(a, b) {
    if (this.kept?.[0] === a && this.kept?.[1] === b) return;
    this.kept = [a, b];
    this.redraw("points");
  }

  setHidden(hidden) {
    this.hidden = hidden;
    this.redraw("points");
  }

  setUnder(kind) {
    if (kind === this.kind) return;
    this.kind = kind;
    this.sheet = null;
    this.#renderUnder();
    this.redraw("points");
  }

  redraw(...layers) {
    layers.forEach((layer) => this.dirty.add(layer));
    if (!this.pending) this.pending = requestAnimationFrame(() => this.#draw());
  }

  recolour() {
    this.redraw("under", "points", "over");
  }

  #resize() {
    const box = this.stage.getBoundingClientRect();
    if (!box.width || !box.height || !this.basis) return;
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    if (this.view && this.width === box.width && this.height === box.height) return;
    [this.width, this.height] = [box.width, box.height];
    for (const { canvas } of Object.values(this.layers)) {
      canvas.width = Math.round(box.width * this.ratio);
      canvas.height = Math.round(box.height * this.ratio);
    }
    if (this.view === this.home) this.fit();
    else this.moved();
  }

  moved() {
    this.redraw("under", "points", "over");
    clearTimeout(this.settling);
    if (this.kind !== "none") this.settling = setTimeout(() => this.#renderUnder(), 120);
  }

  #drawNow() {
    cancelAnimationFrame(this.pending);
    this.#draw();
  }

  #draw() {
    this.pending = 0;
    if (!this.view) return;
    const style = getComputedStyle(this.stage);
    this.ink = style.getPropertyValue("--st-text-color").trim() || "#333333";
    this.paper = style.getPropertyValue("--st-background-color").trim() || "#ffffff";
    for (const layer of this.dirty) {
      const context = this.layers[layer];
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, context.canvas.width, context.canvas.height);
      context.scale(this.ratio, this.ratio);
      DRAW[layer](this, context);
    }
    this.dirty.clear();
  }

  // The background is computed in slices of each frame, and again when the view has come to rest.
  #renderUnder() {
    this.making?.return();
    this.making = null;
    if (this.kind === "none" || !this.view) return this.redraw("under");
    this.making = this.kind === "density" ? densitySheet(this) : manifoldSheet(this);
    const work = this.making;
    const slice = () => {
      if (this.making !== work) return;
      const start = performance.now();
      let step;
      do step = work.next();
      while (!step.done && performance.now() - start < 7);
      this.redraw("under");
      if (step.done) this.making = null;
      else requestAnimationFrame(slice);
    };
    slice();
  }
}
