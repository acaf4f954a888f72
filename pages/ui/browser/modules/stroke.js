// Renders pen strokes as an 8-bit image like those of the training set: white on black, with grey edges.

import { brush } from "./dom.js";

/** @typedef {{ points: number[][], brush: number }} Stroke - in pixels of the image */

const FINE = 4; // oversampling factor before averaging

export class Ink {
  /** @type {Stroke[]} */
  strokes;
  /** @type {Uint8Array | null} */
  ground;

  /**
   * @param {number} width
   * @param {number} height
   */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.strokes = [];
    this.ground = null; // an image under the strokes: an upload or the example
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width * FINE, height * FINE];
    this.context = brush(canvas, { willReadFrequently: true });
  }

  get empty() {
    return !this.strokes.length && !this.ground;
  }

  // The image (H * W) in [0, 255]; `fit` scales and centres it like the digits of MNIST.
  pixels(fit) {
    if (!this.strokes.length) return this.ground ?? new Uint8Array(this.width * this.height);
    if (!fit || this.ground) return this.#render(1, 0, 0);
    // the longer side of a digit is 20 of 28 pixels, and its centre of mass is that of the image (LeCun et al. 1998)
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const { points, brush } of this.strokes) {
      for (const [x, y] of points) {
        [left, top] = [Math.min(left, x - brush / 2), Math.min(top, y - brush / 2)];
        [right, bottom] = [Math.max(right, x + brush / 2), Math.max(bottom, y + brush / 2)];
      }
    }
    const brush = Math.max(...this.strokes.map((stroke) => stroke.brush));
    const side = (Math.min(this.width, this.height) * 20) / 28;
    const scale = Math.min((side - brush) / Math.max(right - left - brush, bottom - top - brush, 1), 8);
    const dx = this.width / 2 - (scale * (left + right)) / 2;
    const dy = this.height / 2 - (scale * (top + bottom)) / 2;
    const first = this.#render(scale, dx, dy);
    let mass = 0;
    let x = 0;
    let y = 0;
    first.forEach((level, i) => {
      mass += level;
      x += level * ((i % this.width) + 0.5);
      y += level * (Math.floor(i / this.width) + 0.5);
    });
    return mass ? this.#render(scale, dx + this.width / 2 - x / mass, dy + this.height / 2 - y / mass) : first;
  }

  #render(scale, dx, dy) {
    const { context, width, height } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000000";
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
    drawStrokes(context, this.strokes, FINE, scale, dx, dy);
    const fine = context.getImageData(0, 0, width * FINE, height * FINE).data;
    const out = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let j = 0; j < FINE; j++)
          for (let i = 0; i < FINE; i++) sum += fine[4 * ((y * FINE + j) * width * FINE + x * FINE + i)];
        const at = y * width + x;
        out[at] = Math.max(Math.round(sum / FINE ** 2), this.ground?.[at] ?? 0);
      }
    }
    return out;
  }
}

// The line width does not change when the strokes are scaled.
export function drawStrokes(context, strokes, size, scale = 1, dx = 0, dy = 0) {
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = context.fillStyle = "#ffffff";
  for (const { points, brush } of strokes) {
    const at = ([x, y]) => [(scale * x + dx) * size, (scale * y + dy) * size];
    context.lineWidth = brush * size;
    context.beginPath();
    context.moveTo(...at(points[0]));
    if (points.length === 1) context.lineTo(at(points[0])[0] + 0.01, at(points[0])[1]);
    points.slice(1).forEach((point) => context.lineTo(...at(point)));
    context.stroke();
  }
}
