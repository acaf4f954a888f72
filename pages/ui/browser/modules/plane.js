// A plane of latent space on canvases: points, what lies under them, ellipses; panned and zoomed by hand and key.

import { element } from "./dom.js";
import { drawMarks, drawPoints, drawUnder } from "./layers.js";
import { densitySheet, manifoldSheet } from "./sheets.js";

const DRAW = { under: drawUnder, points: drawPoints, over: drawMarks };
const GAP = 46; // px that the first view leaves around the points

export class Plane {
  // `on` has hover(place | null), pick(place), nudge(da, db) and moved(); a place is {a, b, row}.
  constructor(stage, model, on) {
    this.stage = stage;
    this.on = on;
    this.layers = ["under", "points", "over"].map((name) => {
      const canvas = element("canvas", { class: name, "aria-hidden": "true" });
      stage.append(canvas);
      return canvas;
    });
    [this.under, this.points, this.over] = this.layers.map((canvas) => canvas.getContext("2d"));
    this.hidden = new Set();
    this.marks = [];
    this.pointers = new Map();
    this.kind = "none";
    this.frame = 0;
    this.dirty = new Set();
    this.sheet = null;
    this.#listen();
    new ResizeObserver(() => this.#resize()).observe(stage);
    this.use(model);
  }

  use(model) {
    this.model = model;
    this.basis = null;
  }

  // directions (2 * J) and mean (J) of the plane; rows of one J lie on lines of their own.
  setBasis(basis) {
    if (JSON.stringify(basis) === JSON.stringify(this.basis)) return;
    this.basis = basis;
    const { model } = this,
      { J, count, means, labels } = model;
    this.across = new Float32Array(count);
    this.up = new Float32Array(count);
    for (let n = 0; n < count; n++) {
      const [a, b] = this.project(means.subarray(n * J, n * J + J));
      this.across[n] = a;
      this.up[n] = J > 1 ? b : (labels[n] - (model.classes.length - 1) / 2) * 0.4;
    }
    this.nameClasses();
    this.view = null;
    this.#resize();
  }

  // Names stand at the medians of their classes.
  nameClasses() {
    const { classes, labels } = this.model;
    this.names = classes.map((name, label) => {
      const rows = [...labels.keys()].filter((n) => labels[n] === label);
      const median = (values) => rows.map((n) => values[n]).sort((x, y) => x - y)[rows.length >> 1];
      return rows.length ? { name, label, a: median(this.across), b: median(this.up) } : null;
    });
  }

  // Whether all points are in the view, and it is not far too wide for them.
  holds() {
    const [left, top] = this.place(0, 0),
      [right, bottom] = this.place(this.width, this.height);
    let [low, high] = [Infinity, -Infinity];
    for (let n = 0; n < this.across.length; n++) {
      const [a, b] = [this.across[n], this.up[n]];
      if (a < left || a > right || b < bottom || b > top) return false;
      [low, high] = [Math.min(low, a), Math.max(high, a)];
    }
    return right - left < 6 * Math.max(high - low, 2);
  }

  // The plane goes through z; what it decodes to changes where z has moved off it.
  setThrough(z) {
    const before = this.through;
    this.through = z;
    if (!before || before.length !== z.length || this.kind !== "manifold") return;
    const [a, b] = this.project(z),
      same = this.lift(a, b, before);
    if (same.some((v, j) => Math.abs(v - z[j]) > 1e-4)) this.#renderUnder();
  }

  project(z) {
    const { directions, mean } = this.basis,
      J = mean.length;
    let a = 0,
      b = 0;
    for (let j = 0; j < J; j++) {
      a += (z[j] - mean[j]) * directions[j];
      b += (z[j] - mean[j]) * directions[J + j];
    }
    return [a, b];
  }

  // The latent at a place of the plane through z.
  lift(a, b, z) {
    const { directions, mean } = this.basis,
      J = mean.length,
      [a0, b0] = this.project(z);
    return Float32Array.from(z, (v, j) => v + (a - a0) * directions[j] + (b - b0) * directions[J + j]);
  }

  // Covariance of q(z|x) of a row, or of deviations (J), on the plane: [var a, cov, var b].
  spread(deviation) {
    const { directions } = this.basis,
      J = deviation.length;
    let aa = 0,
      ab = 0,
      bb = 0;
    for (let j = 0; j < J; j++) {
      const v = deviation[j] ** 2;
      aa += v * directions[j] ** 2;
      ab += v * directions[j] * directions[J + j];
      bb += v * directions[J + j] ** 2;
    }
    return [aa, ab, bb];
  }

  deviationOf(row) {
    const { deviations, J } = this.model;
    return deviations && deviations.subarray(row * J, row * J + J);
  }

  fit() {
    let [low, high] = this.extent ?? [
      [-2, -2],
      [2, 2],
    ];
    for (let n = 0; n < this.across.length; n++) {
      low = [Math.min(low[0], this.across[n]), Math.min(low[1], this.up[n])];
      high = [Math.max(high[0], this.across[n]), Math.max(high[1], this.up[n])];
    }
    const scale = Math.min((this.width - GAP) / (high[0] - low[0]), (this.height - GAP) / (high[1] - low[1]));
    this.view = { x: (low[0] + high[0]) / 2, y: (low[1] + high[1]) / 2, scale };
    this.first = scale;
    this.#moved();
  }

  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const scale = Math.min(Math.max(this.view.scale * factor, this.first / 4), this.first * 2000);
    const [a, b] = this.place(px, py);
    this.view = { x: a - (px - this.width / 2) / scale, y: b + (py - this.height / 2) / scale, scale };
    this.#moved();
  }

  pan(dx, dy) {
    this.view = { ...this.view, x: this.view.x - dx / this.view.scale, y: this.view.y + dy / this.view.scale };
    this.#moved();
  }

  // Moves the view no more than is needed to show a place.
  show(a, b) {
    if (!this.view) return;
    const [px, py] = this.screen(a, b),
      rim = 24;
    const dx = Math.min(Math.max(px, rim), this.width - rim) - px;
    const dy = Math.min(Math.max(py, rim), this.height - rim) - py;
    if (dx || dy) this.pan(dx, dy);
  }

  place(px, py) {
    const { x, y, scale } = this.view;
    return [x + (px - this.width / 2) / scale, y - (py - this.height / 2) / scale];
  }

  screen(a, b) {
    const { x, y, scale } = this.view;
    return [this.width / 2 + (a - x) * scale, this.height / 2 - (b - y) * scale];
  }

  nearest(px, py, reach = 7) {
    let best = -1,
      least = reach * reach;
    const { labels } = this.model,
      { x, y, scale } = this.view;
    const a = x + (px - this.width / 2) / scale,
      b = y - (py - this.height / 2) / scale,
      square = scale * scale;
    for (let n = 0; n < this.across.length; n++) {
      const da = this.across[n] - a,
        db = this.up[n] - b,
        distance = (da * da + db * db) * square;
      if (distance < least && !this.hidden.has(labels[n])) [best, least] = [n, distance];
    }
    return best;
  }

  // Marks lie above all: {a, b, covariance, colour, shape: "ring" or "cross"}.
  setMarks(marks) {
    this.marks = marks;
    this.dirty.add("over");
    cancelAnimationFrame(this.frame);
    this.#draw(); // in the frame of the picture beside it
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
    if (!this.frame) this.frame = requestAnimationFrame(() => this.#draw());
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
    for (const canvas of this.layers) {
      canvas.width = Math.round(box.width * this.ratio);
      canvas.height = Math.round(box.height * this.ratio);
    }
    if (this.view) this.#moved();
    else this.fit();
  }

  #moved() {
    this.redraw("under", "points", "over");
    clearTimeout(this.settling);
    if (this.kind !== "none") this.settling = setTimeout(() => this.#renderUnder(), 120);
    this.on.moved?.();
  }

  #draw() {
    this.frame = 0;
    if (!this.view) return;
    const style = getComputedStyle(this.stage);
    this.ink = style.getPropertyValue("--st-text-color").trim() || "#333333";
    this.paper = style.getPropertyValue("--st-background-color").trim() || "#ffffff";
    for (const layer of this.dirty) {
      const context = this[layer];
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, context.canvas.width, context.canvas.height);
      context.scale(this.ratio, this.ratio);
      DRAW[layer](this, context);
    }
    this.dirty.clear();
  }

  // What lies under the points is made a slice of a frame at a time, and again when the view has come to rest.
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

  #listen() {
    const { stage } = this,
      at = (event) => {
        const box = stage.getBoundingClientRect();
        return [event.clientX - box.left, event.clientY - box.top];
      };
    const tell = (px, py) => {
      const [a, b] = this.place(px, py);
      return { a, b, row: this.nearest(px, py) };
    };
    stage.addEventListener("pointerdown", (event) => {
      if (!this.view || event.button) return;
      stage.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, { from: at(event), now: at(event), moved: false });
      if (event.pointerType === "touch") this.on.hover(tell(...at(event)));
    });
    stage.addEventListener("pointermove", (event) => {
      if (!this.view) return;
      if (event.pointerType === "mouse" && !event.buttons) this.pointers.delete(event.pointerId);
      const pointer = this.pointers.get(event.pointerId),
        [px, py] = at(event);
      if (!pointer) return this.on.hover(tell(px, py));
      const [ox, oy] = pointer.now;
      pointer.now = [px, py];
      if (Math.hypot(px - pointer.from[0], py - pointer.from[1]) > 4) pointer.moved = true;
      if (this.pointers.size === 2) {
        const other = [...this.pointers.values()].find((p) => p !== pointer).now;
        const before = Math.hypot(ox - other[0], oy - other[1]),
          after = Math.hypot(px - other[0], py - other[1]);
        this.pointers.forEach((p) => (p.moved = true));
        this.pan((px - ox) / 2, (py - oy) / 2);
        if (before > 0) this.zoom(after / before, (px + other[0]) / 2, (py + other[1]) / 2);
      } else if (event.pointerType === "touch") this.on.hover(tell(px, py));
      else if (pointer.moved) this.pan(px - ox, py - oy);
    });
    const release = (event) => {
      const pointer = this.pointers.get(event.pointerId);
      this.pointers.delete(event.pointerId);
      if (!pointer || !this.view) return;
      if (event.type === "pointerup" && !pointer.moved) this.on.pick(tell(...at(event)));
      if (event.pointerType === "touch") this.on.hover(null);
    };
    stage.addEventListener("pointerup", release);
    stage.addEventListener("pointercancel", release);
    stage.addEventListener("pointerleave", () => this.on.hover(null));
    stage.addEventListener(
      "wheel",
      (event) => {
        if (!this.view) return;
        event.preventDefault();
        const finger = event.ctrlKey ? 8 : 1; // a pinch on a trackpad comes as a small turn of the wheel
        this.zoom(Math.exp(-event.deltaY * finger * (event.deltaMode ? 0.05 : 0.0015)), ...at(event));
      },
      { passive: false },
    );
    stage.addEventListener("keydown", (event) => {
      if (!this.view || event.ctrlKey || event.metaKey || event.altKey) return;
      const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      const step = (event.shiftKey ? 2 : 12) / this.view.scale;
      if (arrow) this.on.nudge(arrow[0] * step, arrow[1] * step);
      else if (event.key === "+" || event.key === "=") this.zoom(1.3);
      else if (event.key === "-" || event.key === "_") this.zoom(1 / 1.3);
      else if (event.key === "0" || event.key === "Home") this.fit();
      else return;
      event.preventDefault();
    });
  }
}
