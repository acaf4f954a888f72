// z = mu + sigma * eps with fixed eps while mu and sigma are dragged, or with new eps at each move.

import { drawCloud } from "./cloud.js";
import { button, choice } from "./controls.js";
import { element, sayNumber } from "./dom.js";
import { Draws, summary } from "./draws.js";
import { Knobs } from "./knobs.js";
import { Picture } from "./pictures.js";
import { Shades } from "./shades.js";
import { whenModel } from "./store.js";
import { svg } from "./svg.js";
import { drawSweeps } from "./sweepchart.js";
import { TwoAxes } from "./twoaxes.js";

/** @import { Model } from "./store.js" */

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".reparameterise");
  root.reparameterise ??= new Reparameterise(root);
  root.reparameterise.told(data);
}

const SWEEP = 41;
const SPAN = 3; // values of mu along a sweep, and its half-width in standard deviations

class Reparameterise {
  /** @type {any} */
  data;
  /** @type {Model} */
  model;
  /** @type {Draws} */
  q;
  /** @type {TwoAxes} */
  plane;
  /** @type {Shades} */
  shades;
  /** @type {Record<string, number[][]>} */
  sweeps;
  /** @type {SVGSVGElement} */
  canvas;
  /** @type {SVGGElement} */
  layer;
  /** @type {SVGSVGElement} */
  chart;
  /** @type {HTMLElement} */
  stage;
  /** @type {HTMLElement} */
  says;
  /** @type {Picture} */
  picture;
  /** @type {Knobs} */
  knobs;
  /** @type {Generator<undefined, void> | null} */
  work;
  /** @type {number | null} */
  home; // the value of mu to restore after a sweep
  /** @type {number} */
  waiting;
  /** @type {"none" | "slope" | "score" | "less"} */
  arrows;

  constructor(root) {
    this.root = root;
    this.held = true;
    this.arrows = "none";
    this.chosen = 0;
    this.sweeps = {};
    new ResizeObserver(() => this.model && this.#resize()).observe(root);
  }

  told(data) {
    const another = this.data?.id !== data.id;
    this.data = data;
    whenModel(data.model, (model) => {
      if (model.key !== this.data.model) return;
      this.model = model;
      if (another) this.#begin();
      this.#build();
    });
  }

  #begin() {
    const { data } = this;
    this.q = new Draws(this.model, data);
    this.plane = new TwoAxes(data.axes, data.mean, data.deviation);
    this.shades = new Shades();
    this.sweeps = {};
    this.home = null;
  }

  #build() {
    const { data, model, root } = this;
    const { words, colours, axes } = data;
    const either = (label, name, options) =>
      choice(label, options, this[name], (value) => {
        this[name] = value;
        this.#build();
      });
    const tools = element(
      "div",
      { class: "tools" },
      either(words.noise, "held", [
        [true, words.held],
        [false, words.drawn],
      ]),
      button(words.sweep.replace("{name}", data.names[axes[0]]), () => this.#sweep()),
      button(words.again, () => {
        this.q.anew();
        this.#moved();
      }),
      button(words.home, () => {
        this.q.home();
        this.#moved();
      }),
    );
    const slopes = element(
      "div",
      { class: "tools" },
      element("span", { text: words.arrows }),
      either(words.arrows, "arrows", [
        ["none", words.none],
        ["slope", words.slope],
        ["score", words.score],
        ["less", words.less],
      ]),
    );
    this.canvas = svg("svg", { class: "drag", role: "group", "aria-label": words.picture });
    this.layer = svg("g", { "aria-hidden": "true" });
    this.canvas.append(this.layer);
    this.stage = element("div", { class: "stage plain" }, this.shades.canvas, this.canvas);
    this.knobs = new Knobs(this.canvas, model, data, this.plane, this.q, () => this.#changed());
    this.picture = new Picture("", model.width, model.height);
    this.chart = svg("svg", { class: "drag chart", role: "img", "aria-label": words.chart });
    this.says = element("p", { class: "status", role: "status" });
    const title = element("p", { class: "hint", text: words.chart.replace("{name}", data.names[axes[0]]) });
    const side = element(
      "div",
      { class: "side" },
      element("div", { class: "pictures" }, this.picture.figure),
      this.says,
      title,
      this.chart,
    );
    const frame = element(
      "div",
      { class: "frame" },
      this.stage,
      element("span", { class: "across", text: data.names[axes[0]] }),
      element("span", { class: "up", text: model.J > 1 ? data.names[axes[1]] : "" }),
    );
    root.replaceChildren(tools, slopes, element("div", { class: "body" }, frame, side));
    root.style.setProperty("--ink", colours.encoder);
    this.#resize();
    if (model.decode && model.J > 1)
      this.shades.fill((across, up) => this.q.value(this.plane.lift(across, up)), data.sigma_colours);
    root.at = this; // for tests
  }

  // After a drag: the noise is resampled unless it is fixed.
  #changed() {
    if (!this.held) this.q.anew();
    this.#moved();
  }

  #resize() {
    const { stage, canvas } = this;
    this.plane.resize(Math.max(stage.clientWidth, 100), Math.max(stage.clientHeight, 100));
    canvas.setAttribute("width", String(this.plane.width));
    canvas.setAttribute("height", String(this.plane.height));
    this.#moved();
  }

  // The position of a latent on the drawing; for J = 1, samples are spread out so that all are visible.
  #dot(z, l) {
    const { axes } = this.data;
    if (this.model.J > 1) return this.plane.screen(z[axes[0]], z[axes[1]]);
    const [x] = this.plane.screen(z[0], 0);
    return [x, this.plane.height * (0.2 + (0.6 * l) / this.q.noise.length)];
  }

  // The moved parts are drawn immediately; likelihoods and gradients follow in the rest of each frame.
  #moved() {
    this.work = null; // the computation belongs to the previous q
    this.q.forget();
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      this.#draw();
      if (!this.model.decode) return;
      const { mean } = this.model.decode(this.q.z[this.chosen]);
      this.picture.plain(mean).say(this.data.words.decoded);
      const work = (this.work = this.q.measure(this.arrows));
      const slice = () => {
        if (this.work !== work || !this.root.isConnected) return;
        const start = performance.now();
        while (performance.now() - start < 8) {
          if (work.next().done) {
            this.work = null;
            return this.#draw();
          }
        }
        requestAnimationFrame(slice);
      };
      slice();
    });
  }

  #draw() {
    const { data } = this;
    const { slopes, noise } = this.q;
    const { axes, colours } = data;
    const one = this.model.J === 1;
    const at = this.plane.screen(this.q.mean[axes[0]], one ? data.mean[0] : this.q.mean[axes[1]]);
    const sizes = axes.map((j, k) => this.q.deviation[j] * this.plane.scale[k]);
    const gradient =
      slopes.length === noise.length ? slopes[0].map((_, k) => summary(slopes.map((slope) => slope[k]))) : null;
    // arrows in nats per standard deviation of the encoder's q, since the axes have different scales
    const drawn = (slope) => slope.map((v, k) => v * data.deviation[axes[k]]);
    drawCloud(this.layer, {
      at,
      sizes,
      one,
      tall: this.plane.height,
      dots: this.q.z.map((z, l) => this.#dot(z, l)),
      chosen: this.chosen,
      choose: (l) => {
        this.chosen = l;
        this.#moved();
      },
      arrows: slopes.map(drawn),
      average: gradient && drawn(gradient.map((each) => each.average)),
      colour: colours.gradient,
    });
    this.#say(gradient);
    this.knobs.at(at, sizes);
    const j = axes[0];
    const span = SPAN * data.deviation[j];
    drawSweeps(this.chart, this.sweeps, [data.mean[j] - span, data.mean[j] + span], data);
  }

  #say(gradient) {
    const { data } = this;
    const { values, noise } = this.q;
    const { words } = data;
    const says = [];
    if (values.length === noise.length) {
      const { average, error } = summary(values);
      const value = words.value.replace("{value}", sayNumber(average, 1)).replace("{error}", sayNumber(error, 1));
      says.push(value.replace("{count}", noise.length));
    }
    if (gradient) {
      const { average, error } = gradient[0];
      const named = words.gradient.replace("{name}", data.names[data.axes[0]]);
      says.push(named.replace("{value}", saySlope(average)).replace("{error}", saySlope(error)));
    }
    if (says.length) this.says.textContent = says.join(" ");
  }

  // mu along its first axis, and L1 estimated from these samples.
  #sweep() {
    if (!this.model.decode) return;
    const { data } = this;
    const j = data.axes[0];
    const before = (this.home ??= this.q.mean[j]); // another sweep may be running
    const sweep = [];
    const held = this.held;
    this.sweeps[`${held}`] = sweep;
    let i = 0;
    const next = () => {
      if (!this.root.isConnected || this.sweeps[`${held}`] !== sweep) return;
      const value = data.mean[j] + data.deviation[j] * SPAN * ((2 * i) / (SWEEP - 1) - 1);
      this.q.mean[j] = value;
      if (!held) this.q.anew();
      sweep.push([value, this.q.average]);
      i += 1;
      if (i < SWEEP) requestAnimationFrame(next);
      else {
        this.q.mean[j] = before;
        this.home = null;
      }
      this.#moved();
    };
    next();
  }
}

function saySlope(value) {
  return Math.abs(value) >= 1e5
    ? value.toExponential(1).replace("-", "−")
    : sayNumber(value, Math.abs(value) < 10 ? 1 : 0);
}
