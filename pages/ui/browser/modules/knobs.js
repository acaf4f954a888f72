// Draggable knobs of q on a plane of two axes: one at its mean, and one for its width along each axis.

import { clip, sayNumber } from "./dom.js";
import { Knob } from "./svg.js";

/** @import { Draws } from "./draws.js" */
/** @import { Model } from "./store.js" */
/** @import { TwoAxes } from "./twoaxes.js" */

const STEP = 0.3; // per arrow key, as a share of the plane's range

export class Knobs {
  /**
   * @param {SVGSVGElement} canvas
   * @param {Model} model
   * @param {any} data
   * @param {TwoAxes} plane
   * @param {Draws} q
   * @param {() => void} moved
   */
  constructor(canvas, model, data, plane, q, moved) {
    this.data = data;
    this.plane = plane;
    this.q = q;
    const { words, colours, names } = data;
    const axes = data.axes.slice(0, model.J > 1 ? 2 : 1);
    this.mean = new Knob(canvas, words.mean, colours.encoder, {
      move: (px, py) => {
        const place = plane.place(px, py);
        axes.forEach((_, k) => this.#mean(k, place[k]));
        moved();
      },
      step: (dx, dy) => {
        axes.forEach((j, k) => this.#mean(k, q.mean[j] + (k ? dy : dx) * plane.reach[k] * STEP));
        moved();
      },
    });
    this.widths = axes.map((j, k) => {
      return new Knob(canvas, words.deviation.replace("{name}", names[j]), colours.encoder, {
        move: (px, py) => {
          this.#width(k, Math.abs(plane.place(px, py)[k] - q.mean[j]));
          moved();
        },
        step: (dx, dy) => {
          this.#width(k, q.deviation[j] + (dx + dy) * plane.reach[k] * STEP);
          moved();
        },
      });
    });
  }

  #mean(k, value) {
    const { data, plane, q } = this;
    const j = data.axes[k];
    q.mean[j] = clip(value, data.mean[j] - 0.8 * plane.reach[k], data.mean[j] + 0.8 * plane.reach[k]);
  }

  #width(k, value) {
    const reach = this.plane.reach[k];
    this.q.deviation[this.data.axes[k]] = clip(value, reach / 100, reach / 2);
  }

  // Places the knobs on q, drawn at a point with sizes in px.
  at([x, y], sizes) {
    const { data, plane, q } = this;
    const { axes, names } = data;
    const tell = (j) => `${names[j]}: μ ${sayNumber(q.mean[j])}, σ ${sayNumber(q.deviation[j], 3)}`;
    const all = [...new Set(axes)].map(tell).join("; ");
    const middle = data.mean[axes[0]];
    const [low, high] = [middle - plane.reach[0], middle + plane.reach[0]];
    this.mean.at(x, y, q.mean[axes[0]], low.toFixed(2), high.toFixed(2), all);
    const places = [
      [x + sizes[0], y],
      [x, y - sizes[1]],
    ];
    this.widths.forEach((knob, k) => {
      knob.at(...places[k], q.deviation[axes[k]], 0, (plane.reach[k] / 2).toFixed(2), all);
    });
  }
}
