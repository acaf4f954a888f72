// The prior mass where a classifier is not confident, or confident far from data, with a picture of log q(z).

import { brush, element, rgb, sayNumber } from "./dom.js";

/** @import { Probe } from "./probe.js" */

const DEPTH = 7; // range of log q(z) shown below its maximum, nats per dimension
const BARE = Math.log(0.01); // log q(z) / p(z) below which there are no data

export class Doubt {
  /** @param {Probe} probe */
  constructor(probe) {
    const { words, doubt } = probe.data;
    this.probe = probe;
    this.at = doubt ? doubt.at : 0;
    this.moved = 0; // time of the last movement of the slider; what answers an older one is ignored
    const number = (kind, text) => {
      const value = element("strong");
      return { value, row: element("p", { class: `amount ${kind}` }, element("i"), value, element("span", { text })) };
    };
    this.unsure = number("unsure", words.unsure);
    this.astray = number("astray", words.astray);
    this.says = element("span");
    this.slider = element("input", {
      type: "range",
      min: 0,
      max: doubt ? doubt.thresholds.length - 1 : 0,
      value: this.at,
      "aria-label": words.threshold,
      oninput: () => {
        this.moved = Math.max(Date.now(), this.moved + 1);
        this.at = +this.slider.value;
        this.tell();
        this.probe.paint();
      },
      onchange: () => this.probe.report("threshold", { n: this.moved, at: this.at }),
    });
    this.root = doubt
      ? element(
          "div",
          { class: "doubt" },
          this.unsure.row,
          this.astray.row,
          element("label", { class: "threshold" }, this.says, this.slider),
        )
      : element("p", { class: "note", text: words.no_prior });
    this.canvas = element("canvas", { role: "img", "aria-label": words.density, class: "density" });
    this.figure = element("figure", {}, this.canvas, element("figcaption", { text: words.density }));
  }

  adopt() {
    const { doubt } = this.probe.data;
    if (doubt && doubt.n >= this.moved) {
      this.at = doubt.at;
      this.slider.value = doubt.at;
    }
    this.figure.hidden = !this.probe.density;
    this.#density();
    this.tell();
  }

  // Confidence below which it counts as low.
  get threshold() {
    return this.probe.data.doubt?.thresholds[this.at] ?? 0.95;
  }

  tell() {
    const { doubt, words } = this.probe.data;
    if (!doubt) return;
    for (const name of /** @type {const} */ (["unsure", "astray"])) {
      const share = doubt[name][this.at];
      const error = doubt.draws ? Math.sqrt((share * (1 - share)) / doubt.draws) : 0;
      this[name].value.textContent = `${sayNumber(100 * share, 1)}%${error ? ` ± ${sayNumber(100 * error, 1)}%` : ""}`;
    }
    const share = `${(100 * this.threshold).toFixed(1)}%`;
    this.says.textContent = words.at_threshold.replace("{share}", share);
    this.slider.setAttribute("aria-valuetext", share);
  }

  // Above 0 where q(z) < 0.01 p(z); only for J <= 2, since otherwise the plane is only a slice.
  bare() {
    const { density, model, data } = this.probe;
    if (!density || model.J > 2 || !data.doubt) return null;
    const { low, step, width } = data.grid;
    return density.map((nats, i) => {
      const a = low[0] + (i % width) * step;
      const b = model.J > 1 ? low[1] + Math.floor(i / width) * step : 0;
      return BARE - (nats + (a * a + b * b + model.J * Math.log(2 * Math.PI)) / 2);
    });
  }

  #density() {
    const { density, data } = this.probe;
    if (!density) return;
    const { width, height } = data.grid;
    const tall = height > 1 ? height : Math.ceil(width / 4);
    [this.canvas.width, this.canvas.height] = [width, tall];
    const most = density.reduce((x, y) => Math.max(x, y), -Infinity);
    const [r, g, b] = rgb(data.density_colour);
    const context = brush(this.canvas);
    this.picture = context.createImageData(width, tall);
    for (let y = 0; y < tall; y++) {
      for (let x = 0; x < width; x++) {
        const nats = density[height > 1 ? (height - 1 - y) * width + x : x];
        const share = Math.max(0, 1 + (nats - most) / (DEPTH * this.probe.model.J));
        this.picture.data.set([r, g, b, 255 * share ** 1.5], 4 * (y * width + x));
      }
    }
    context.putImageData(this.picture, 0, 0);
  }

  // Draws a cross at the pointer.
  mark(a, b) {
    if (!this.picture) return;
    const { low, step, height } = this.probe.data.grid;
    const context = brush(this.canvas);
    context.putImageData(this.picture, 0, 0);
    const [x, y] = [(a - low[0]) / step, height > 1 ? height - 1 - (b - low[1]) / step : this.canvas.height / 2];
    context.fillStyle = getComputedStyle(this.canvas).color;
    context.fillRect(Math.round(x) - 5, Math.round(y), 11, 1);
    context.fillRect(Math.round(x), Math.round(y) - 5, 1, 11);
  }
}
