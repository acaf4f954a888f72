// A slider for each latent dimension that acts while it is dragged, above a strip of decoded images.

import { button } from "./controls.js";
import { brush, element, paint, sayNumber } from "./dom.js";
import { Follower } from "./follower.js";
import { Later } from "./later.js";
import { Picture, showImage } from "./pictures.js";
import { seeded } from "./seeded.js";
import { decoderOf } from "./store.js";

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".sliders");
  root.latentSliders ??= new Sliders(root);
  root.latentSliders.told(data, setStateValue);
  return () => root.latentSliders.later.end();
}

/**
 * @typedef {{ value: number, context: CanvasRenderingContext2D }} Step - an image of a strip
 * @typedef {{ range: HTMLInputElement, number: HTMLInputElement, pictures: Step[] }} Row
 */

const STEPS = 5; // images per strip

class Sliders extends Follower {
  /** @type {number | null} */
  row;
  /** @type {Picture} */
  mean;
  /** @type {Picture} */
  deviation;
  /** @type {Picture} */
  sample;
  /** @type {Picture} */
  image;
  /** @type {number | null} */
  moving;
  /** @type {Generator<undefined, void> | null} */
  work;
  /** @type {ImageData} */
  tile;
  /** @type {number} */
  waiting;
  /** @type {Map<number, Row>} */
  rows;

  constructor(root) {
    super(root);
    this.seed = 1;
    this.later = new Later(() => this.reportPlace());
  }

  adopt() {
    if (!this.news()) return;
    this.row = this.data.row;
    this.#set(this.z);
  }

  build() {
    const { data, model, root } = this;
    const { words, order } = data;
    root.replaceChildren();
    const tools = element(
      "div",
      { class: "tools" },
      button(words.zero, () => this.#choose(new Float32Array(model.J))),
      button(words.prior, () => {
        const { normal } = seeded(Math.random() * 2 ** 32);
        this.#choose(Float32Array.from({ length: model.J }, normal));
      }),
      button(words.draw_again, () => {
        this.seed += 1;
        this.#show();
      }),
    );
    const picture = (text) => new Picture(text, model.width, model.height);
    [this.mean, this.deviation, this.sample, this.image] = ["mean", "deviation", "draw", "image"].map((name) =>
      picture(words[name]),
    );
    const pictures = element(
      "div",
      { class: "pictures" },
      ...[this.mean, this.deviation, this.sample, this.image].map((each) => each.figure),
    );
    this.rows = new Map();
    const rows = element("div", { class: "rows" });
    const folded = element("div", { class: "rows" });
    const most = 20;
    order.forEach((j, place) => (data.carried[j] >= 0.01 && place < most ? rows : folded).append(this.#row(j)));
    const unused = order.filter((j) => data.carried[j] < 0.01);
    const rest = order.length - rows.children.length;
    const named = unused.length ? words.unused.replace("{names}", unused.map((j) => data.names[j]).join(", ")) : "";
    const more = rest > unused.length ? words.more.replace("{count}", rest - unused.length) : "";
    const summary = [more, named].filter(Boolean).join(". ");
    if (rest) {
      rows.append(
        element("details", { ontoggle: () => this.#strips() }, element("summary", { text: summary }), folded),
      );
    }
    root.append(tools, element("div", { class: "body" }, element("div", { class: "side" }, pictures), rows));
    this.root.sliders = this; // for tests
  }

  #row(j) {
    const { data, model } = this;
    const reach = data.reach[j];
    const name = `${data.names[j]}, ${data.labels[j]}`;
    const range = element("input", {
      type: "range",
      min: -reach,
      max: reach,
      step: 0.01,
      "aria-label": name,
      oninput: () => {
        this.#move(j, range.valueAsNumber, range);
      },
      onchange: () => this.#send(),
    });
    const number = element("input", {
      type: "number",
      min: -reach,
      max: reach,
      step: 0.1,
      "aria-label": name,
      oninput: () => {
        if (number.validity.valid && number.value) this.#move(j, number.valueAsNumber, number);
      },
      onchange: () => {
        number.value = this.z[j].toFixed(2);
        this.#send();
      },
    });
    const strip = element("div", { class: "strip" });
    const pictures = Array.from({ length: STEPS }, (_, k) => {
      const value = reach * ((2 * k) / (STEPS - 1) - 1);
      const canvas = element("canvas", { width: model.width, height: model.height, "aria-hidden": "true" });
      strip.append(
        element(
          "button",
          {
            type: "button",
            tabindex: -1,
            title: sayNumber(value),
            "aria-label": `${name}: ${sayNumber(value)}`,
            onclick: () => {
              this.#move(j, value, null);
              this.#send();
            },
          },
          canvas,
        ),
      );
      return { value, context: brush(canvas) };
    });
    this.rows.set(j, { range, number, pictures });
    return element(
      "div",
      { class: "slider" },
      element("div", { class: "label" }, element("b", { text: data.names[j] }), data.labels[j], number),
      strip,
      range,
    );
  }

  #move(j, value, by) {
    this.z = this.movedAlong(j, value);
    this.row = null;
    this.stamp();
    const row = this.rows.get(j);
    if (!row) return;
    const { range, number } = row;
    if (by !== range) range.value = value;
    if (by !== number) number.value = value.toFixed(2);
    this.moving = j;
    this.#show();
  }

  #choose(z) {
    this.row = null;
    this.stamp();
    this.#set(z);
    this.#send();
  }

  #set(z) {
    this.z = z;
    for (const [j, { range, number }] of this.rows) {
      if (Math.abs(range.valueAsNumber - z[j]) > 0.005) range.value = z[j];
      if (this.root.getRootNode().activeElement !== number) number.value = z[j].toFixed(2);
    }
    this.moving = null;
    this.#show();
  }

  #send() {
    this.later.soon(60);
  }

  #show() {
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      this.#draw();
    });
  }

  #draw() {
    const { model, data, z } = this;
    const { mean, deviation } = decoderOf(model)(z, true);
    this.mean.plain(mean);
    this.deviation.deviation(deviation, data.sigma_colours, data.words.range);
    const { uniform, normal } = seeded(this.seed);
    const binary = model.config.likelihood === "bernoulli";
    this.sample.plain(Float32Array.from(mean, (m, i) => (binary ? +(uniform() < m) : m + deviation[i] * normal())));
    this.image.figure.hidden = this.row === null;
    if (this.row !== null) {
      showImage(this.image, model, this.row);
      this.image.say(data.words.image.replace("{row}", this.row));
    }
    this.#strips();
  }

  // Strips follow in the rest of each frame; that of the active slider does not change.
  #strips() {
    const { model } = this;
    const work = (this.work = this.#stripSteps());
    const slice = () => {
      if (this.work !== work || !this.root.isConnected) return;
      const start = performance.now();
      while (performance.now() - start < 6) if (work.next().done) return void (this.work = null);
      requestAnimationFrame(slice);
    };
    this.tile ??= new ImageData(model.width, model.height);
    slice();
  }

  *#stripSteps() {
    const { model } = this;
    for (const [j, { range, pictures }] of this.rows) {
      if (j === this.moving || !range.offsetParent) continue;
      for (const { value, context } of pictures) {
        const z = Float32Array.from(this.z);
        z[j] = value;
        paint(this.tile.data, decoderOf(model)(z).mean);
        context.putImageData(this.tile, 0, 0);
        yield;
      }
    }
  }
}
