// A drawing pad for mouse, pen, finger or keys, with undo.

import { brush, clip, element } from "./dom.js";
import { Picture } from "./pictures.js";
import { drawStrokes, Ink } from "./stroke.js";

/** @import { Stroke } from "./stroke.js" */

export class Pad {
  /** @type {HTMLCanvasElement} */
  canvas;
  /** @type {HTMLInputElement} */
  brush;
  /** @type {Stroke | null} */
  stroke; // the stroke being drawn
  /** @type {number | null} */
  drawing; // the ID of the pointer that draws
  /** @type {[Stroke[], Uint8Array | null][]} */
  past; // earlier states, for undo

  /**
   * @param {number} width
   * @param {number} height
   * @param {{ begun(): void, changed(): void, finished(rest: number): void }} on - rest is how long the pointer has to
   */
  constructor(width, height, on) {
    this.on = on;
    this.ink = new Ink(width, height);
    this.touched = false; // whether the user has drawn anything
    this.example = false; // whether the initial example is shown
    this.past = [];
    this.pen = { x: width / 2, y: height / 2, down: false, shown: false }; // the pen moved by keys
    this.lift();
  }

  // The canvas and the brush control, rebuilt for another language.
  build(words) {
    const attributes = { type: "range", min: 1, max: 5, step: 0.1, value: 2.4, "aria-label": words.brush };
    this.brush = element("input", attributes);
    this.canvas = element("canvas", { class: "pad", tabindex: 0, role: "application", "aria-label": words.pad });
    this.#listen(this.canvas);
    new ResizeObserver(() => this.on.changed()).observe(this.canvas);
  }

  // Puts an image on the pad that was not drawn here.
  put(strokes, ground, example) {
    if (!this.example) this.#remember();
    this.lift();
    this.ink.strokes = strokes;
    this.ink.ground = ground;
    this.example = example;
  }

  // Ends the current stroke.
  lift() {
    this.stroke = this.drawing = null;
    this.pen.down = false;
  }

  undo() {
    this.lift();
    const before = this.past.pop();
    if (!before) return;
    [this.ink.strokes, this.ink.ground] = before;
    this.#touch();
    this.on.finished(150);
  }

  clear() {
    this.lift();
    if (!this.example && !this.ink.empty) this.#remember();
    this.#touch();
    [this.ink.strokes, this.ink.ground] = [[], null];
    this.on.finished(0);
  }

  #touch() {
    this.example = false;
    this.touched = true;
  }

  #remember() {
    if (!this.ink.empty || this.past.length) this.past.push([this.ink.strokes, this.ink.ground]);
  }

  #begin(point) {
    this.lift();
    if (this.example) {
      this.ink.ground = null;
      this.past.push([[], null]);
    } else this.#remember();
    this.#touch();
    this.stroke = { points: [point], brush: this.brush.valueAsNumber };
    this.ink.strokes = [...this.ink.strokes, this.stroke];
    this.on.begun();
  }

  #listen(canvas) {
    const { ink } = this;
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * ink.width;
      const y = ((event.clientY - box.top) / box.height) * ink.height;
      return [Math.round(100 * x) / 100, Math.round(100 * y) / 100]; // as stored
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      this.#begin(at(event));
      this.drawing = event.pointerId;
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.drawing !== event.pointerId) return;
      const parts = event.getCoalescedEvents?.() ?? [];
      for (const part of parts.length ? parts : [event]) this.stroke?.points.push(at(part));
      this.on.changed();
    });
    const release = (event) => {
      if (this.drawing !== event.pointerId) return;
      this.lift();
      this.on.finished(0);
    };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => {
      this.pen.shown = false;
      this.on.changed();
    });
  }

  // Arrow keys move a pen, the space bar lowers and lifts it.
  #key(event) {
    const { pen, ink } = this;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") this.undo();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === " ") {
      if (pen.down) {
        this.lift();
        this.on.finished(0);
      } else {
        this.#begin([pen.x, pen.y]);
        pen.down = true;
      }
    } else if (event.key === "Backspace" || event.key === "Delete") this.undo();
    else {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step) return;
      pen.x = clip(pen.x + step[0], 0, ink.width);
      pen.y = clip(pen.y + step[1], 0, ink.height);
      if (pen.down) this.stroke?.points.push([pen.x, pen.y]);
    }
    pen.shown = true;
    event.preventDefault();
    this.on.changed();
  }

  // Returns whether there is room to draw.
  draw() {
    const { ink, canvas, pen } = this;
    const box = canvas.getBoundingClientRect();
    if (!box.width) return false;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const side = Math.round(box.width * ratio);
    if (canvas.width !== side) [canvas.width, canvas.height] = [side, Math.round((side * ink.height) / ink.width)];
    const context = brush(canvas);
    const size = side / ink.width;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (ink.ground) {
      const small = new Picture("", ink.width, ink.height).plain(Float32Array.from(ink.ground, (v) => v / 255)).canvas;
      context.imageSmoothingEnabled = false;
      context.globalAlpha = this.example ? 0.6 : 1;
      context.drawImage(small, 0, 0, canvas.width, canvas.height);
      context.globalAlpha = 1;
    }
    drawStrokes(context, ink.strokes, size);
    if (pen.shown) {
      context.strokeStyle = pen.down ? "#ffa90e" : "#3f90da";
      context.lineWidth = 2 * ratio;
      context.beginPath();
      context.arc(pen.x * size, pen.y * size, 7 * ratio, 0, 2 * Math.PI);
      context.stroke();
    }
    return true;
  }
}
