// A latent space as it forms: codes of the same test images, and decoded images, at every recorded time.

import { bars, largest } from "./bars.js";
import { brush, element, framed, paint, sayNumber } from "./dom.js";
import { wordsOf } from "./follower.js";
import { Plane } from "./plane.js";
import { column, inflate } from "./store.js";

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".replay");
  root.latentReplay ??= new Replay(root);
  root.latentReplay.told(data);
}

const WHOLE = 12; // seconds to play a run, whatever its length
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

class Replay {
  /** @type {any} */
  data;
  /** @type {Float32Array} */
  codes;
  /** @type {number} */
  count;
  /** @type {Float32Array | null} */
  kl;
  /** @type {number} */
  last;
  /** @type {Uint8Array | null} */
  sheets;
  /** @type {Plane} */
  plane;
  /** @type {HTMLElement} */
  stage;
  /** @type {HTMLButtonElement} */
  play;
  /** @type {HTMLInputElement} */
  slider;
  /** @type {HTMLElement} */
  controls;
  /** @type {HTMLElement} */
  time;
  /** @type {HTMLCanvasElement} */
  sheet;
  /** @type {HTMLElement} */
  sheetSays;
  /** @type {HTMLCanvasElement} */
  bars;
  /** @type {HTMLElement} */
  barsSay;
  /** @type {HTMLElement} */
  carried;
  /** @type {number} */
  carriedAt;
  /** @type {number} */
  running;
  /** @type {number | null} */
  shown;
  /** @type {boolean} */
  wasLive;

  constructor(root) {
    this.root = root;
    this.at = 0; // a position between recorded times
    this.told_ = 0;
    new ResizeObserver(() => this.data && this.#carry(this.carriedAt)).observe(root);
  }

  async told(data) {
    const number = ++this.told_;
    const sheets = data.sheets ? await inflate(column(data.sheets), Uint8Array) : null;
    if (number !== this.told_) return; // newer data have arrived
    const another =
      this.data?.run !== data.run || wordsOf(this.data) !== wordsOf(data) || `${this.data.titles}` !== `${data.titles}`;
    const before = this.data && !another ? this.#codes(this.at) : null;
    this.data = data;
    this.sheets = sheets;
    const { low, step } = data.scale;
    this.codes = Float32Array.from(column(data.codes), (level, i) => low[i % 2] + step[i % 2] * level);
    this.count = column(data.labels).length;
    this.kl = data.kl ? column(data.kl) : null;
    this.last = data.epochs.length - 1;
    if (another) this.#build();
    this.slider.max = String(this.last);
    if (data.live) this.#follow(before);
    else {
      if (another || this.wasLive) this.at = this.last;
      this.#widest();
      this.#show();
    }
    this.wasLive = data.live;
    this.controls.hidden = data.live || this.last < 1;
  }

  #build() {
    const { data, root } = this;
    const { words } = data;
    cancelAnimationFrame(this.running);
    this.running = 0;
    root.replaceChildren();
    this.stage = element("div", { class: "stage", tabindex: 0, role: "application", "aria-label": words.map });
    const model = {
      J: 2,
      count: this.count,
      means: this.codes.subarray(0, 2 * this.count),
      labels: column(data.labels),
      classes: data.classes,
      colours: data.colours,
      deviations: null,
      decode: null,
    };
    this.plane = new Plane(this.stage, model, { hover: () => {}, pick: () => {}, nudge: () => {} });
    this.play = element("button", { type: "button", text: words.play, onclick: () => this.#toggle() });
    this.slider = element("input", {
      type: "range",
      min: 0,
      max: this.last,
      step: "any",
      value: 0,
      "aria-label": words.time,
      oninput: () => {
        this.#pause();
        this.at = this.slider.valueAsNumber;
        this.#show();
      },
    });
    this.controls = element("div", { class: "tools timeline" }, this.play, this.slider);
    this.time = element("p", { class: "status", role: "status" });
    this.sheet = element("canvas", { class: "sheet", role: "img" });
    this.sheetSays = element("figcaption");
    this.bars = element("canvas", { class: "chart", role: "img" });
    this.barsSay = element("figcaption");
    this.carried = element("figure", { class: "carried", hidden: !this.kl }, this.bars, this.barsSay);
    root.append(
      element(
        "div",
        { class: "body" },
        framed(this.stage, data.titles),
        element("figure", {}, this.sheet, this.sheetSays),
      ),
      this.controls,
      this.time,
      this.carried,
    );
    if (words.chosen) this.time.after(element("p", { class: "hint", text: words.chosen }));
    this.plane.setBasis({ mean: [0, 0], directions: [1, 0, 0, 1] });
    this.root.replay = this; // for tests
  }

  // A replay keeps one view, which contains the points of all times.
  #widest() {
    const low = [-2, -2];
    const high = [2, 2];
    this.codes.forEach((v, i) => {
      low[i % 2] = Math.min(low[i % 2], v);
      high[i % 2] = Math.max(high[i % 2], v);
    });
    this.plane.extent = [low, high];
    if (this.plane.view) this.plane.fit();
  }

  // Codes (2 * N), interpolated between recorded times.
  #codes(at) {
    const { codes, count } = this;
    const size = 2 * count;
    const first = Math.min(Math.floor(at), this.last);
    const part = at - first;
    const from = codes.subarray(first * size, (first + 1) * size);
    if (!part || first >= this.last) return Float32Array.from(from);
    const to = codes.subarray((first + 1) * size, (first + 2) * size);
    return Float32Array.from(from, (v, i) => v + part * (to[i] - v));
  }

  // During training only the latest time is available; the points move to it smoothly.
  #follow(before) {
    this.at = this.last;
    const goal = this.#codes(this.last);
    const start = performance.now();
    cancelAnimationFrame(this.running);
    const tick = () => {
      const share =
        before && before.length === goal.length && !calm() ? Math.min((performance.now() - start) / 800, 1) : 1;
      this.#place(
        share === 1 ? goal : goal.map((v, i) => before[i] + share * share * (3 - 2 * share) * (v - before[i])),
      );
      this.running = share < 1 ? requestAnimationFrame(tick) : 0;
    };
    tick();
    this.#sheetAt(this.last);
    this.#carry(this.last);
    this.#say();
  }

  #place(codes) {
    const { plane, count } = this;
    for (let n = 0; n < count; n++) [plane.across[n], plane.up[n]] = [codes[2 * n], codes[2 * n + 1]];
    plane.nameClasses();
    if (this.data.live && plane.view && !plane.holds(plane.across, plane.up)) plane.fit();
    plane.redraw("points", "under", "over");
  }

  #show() {
    this.#place(this.#codes(this.at));
    this.slider.value = String(this.at);
    this.#sheetAt(Math.round(this.at));
    this.#carry(Math.round(this.at));
    this.#say();
  }

  #sheetAt(time) {
    if (!this.sheets || time === this.shown) return;
    const { side, height, width } = this.data;
    const [w, h] = [side * width, side * height];
    if (this.sheet.width !== w) [this.sheet.width, this.sheet.height] = [w, h];
    const image = new ImageData(w, h);
    const size = this.sheets.length / (this.last + 1); // w * h, or three times that in colour
    const levels = this.sheets.subarray(time * size, (time + 1) * size);
    paint(
      image.data,
      Float32Array.from(levels, (level) => level / 255),
    );
    brush(this.sheet).putImageData(image, 0, 0);
    this.shown = this.data.live ? null : time;
    this.sheetSays.textContent = this.data.words.sheet.replace("{plane}", this.data.planes[time]);
    this.sheet.setAttribute("aria-label", this.sheetSays.textContent);
  }

  // The KL of each dimension, sorted on request; all times use one scale.
  #carry(time = this.last) {
    this.carriedAt = time;
    if (!this.kl) return;
    const { data, kl } = this;
    const count = data.order.length;
    const row = kl.subarray(time * count, (time + 1) * count);
    const values = data.order.map((j) => row[j]);
    const names = data.order.map((j) => data.names[j]);
    bars(
      this.bars,
      values,
      data.carried_colour,
      null,
      names,
      kl.reduce((most, v) => Math.max(most, v), 0),
    );
    const awake = row.reduce((sum, v) => sum + +(v > data.awake), 0);
    this.barsSay.textContent = data.words.carried.replace("{awake}", awake).replace("{count}", count);
    this.bars.setAttribute("aria-label", `${this.barsSay.textContent}: ${largest(values, names)}`);
  }

  #say() {
    const { data } = this;
    const time = Math.round(this.at);
    const words = data.words.at
      .replace("{epoch}", sayNumber(data.epochs[time], data.epochs[time] < 10 ? 2 : 1))
      .replace("{step}", data.steps[time].toLocaleString("en"));
    if (this.time.textContent !== words) this.time.textContent = words;
  }

  #toggle() {
    if (this.running) return this.#pause();
    if (this.at >= this.last) this.at = 0;
    this.play.textContent = this.data.words.pause;
    let before = performance.now();
    const tick = (now) => {
      this.at = Math.min(this.at + (((now - before) / 1000) * this.last) / WHOLE, this.last);
      if (calm()) this.at = Math.min(Math.ceil(this.at), this.last);
      before = now;
      this.#show();
      if (this.at >= this.last) return this.#pause();
      this.running = requestAnimationFrame(tick);
    };
    this.running = requestAnimationFrame(tick);
  }

  #pause() {
    cancelAnimationFrame(this.running);
    this.running = 0;
    this.play.textContent = this.data.words.play;
  }
}
