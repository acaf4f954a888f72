// z = mu + sigma * eps with the same eps while mu and sigma are dragged, or with others at each move.

import { element, sayNumber } from "./dom.js";
import { logLikelihood } from "./net.js";
import { seeded } from "./seeded.js";
import { Picture } from "./pictures.js";
import { Shades } from "./shades.js";
import { whenModel } from "./store.js";
import { Knob, line, svg } from "./svg.js";

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".reparameterise");
  root.reparameterise ??= new Reparameterise(root);
  root.reparameterise.told(data);
}

const REACH = 5; // of the plane from the encoder's mu to each side, in deviations
const SWEEP = 41,
  SPAN = 3; // values of mu along a sweep, over so many deviations to both sides

class Reparameterise {
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
    this.mean = Float32Array.from(data.mean);
    this.deviation = Float32Array.from(data.deviation);
    this.x = Float32Array.from(data.x);
    this.draws = data.noise.length;
    this.noise = data.noise.map((eps) => Float32Array.from(eps));
    this.reach = data.axes.map((j) => REACH * data.deviation[j]);
    this.sweeps = {};
    this.seed = 1;
    this.shades = new Shades();
  }

  get z() {
    return this.noise.map((eps) => eps.map((e, j) => this.mean[j] + this.deviation[j] * e));
  }

  #anew() {
    const { normal } = seeded((this.seed += 1));
    this.noise = this.noise.map((eps) => eps.map(() => normal()));
  }

  #build() {
    const { data, model, root } = this,
      { words, colours, axes } = data;
    const choice = (label, options, now, set) =>
      element(
        "div",
        { class: "choice", role: "group", "aria-label": label },
        ...options.map(([value, text]) =>
          element("button", {
            type: "button",
            text,
            "aria-pressed": String(value === now),
            onclick: () => {
              set(value);
              this.#build();
            },
          }),
        ),
      );
    const button = (text, act) => element("button", { type: "button", text, onclick: act });
    const tools = element(
      "div",
      { class: "tools" },
      choice(
        words.noise,
        [
          [true, words.held],
          [false, words.drawn],
        ],
        this.held,
        (v) => (this.held = v),
      ),
      button(words.sweep.replace("{name}", data.names[axes[0]]), () => this.#sweep()),
      button(words.again, () => {
        this.#anew();
        this.#moved();
      }),
      button(words.home, () => {
        this.mean = Float32Array.from(data.mean);
        this.deviation = Float32Array.from(data.deviation);
        this.#moved();
      }),
    );
    const slopes = element(
      "div",
      { class: "tools" },
      element("span", { text: words.arrows }),
      choice(
        words.arrows,
        [
          ["none", words.none],
          ["slope", words.slope],
          ["score", words.score],
          ["less", words.less],
        ],
        this.arrows,
        (v) => (this.arrows = v),
      ),
    );
    this.canvas = svg("svg", { class: "drag", role: "group", "aria-label": words.picture });
    this.layer = svg("g", { "aria-hidden": "true" });
    this.canvas.append(this.layer);
    this.stage = element("div", { class: "stage plain" }, this.shades.canvas, this.canvas);
    this.knobs = { mean: this.#knob(words.mean, "mean", [0, 1]) };
    axes.slice(0, model.J > 1 ? 2 : 1).forEach((j, k) => {
      this.knobs[k] = this.#knob(words.deviation.replace("{name}", data.names[j]), "deviation", [k]);
    });
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
      this.shades.fill((across, up) => this.#value(this.#lift(across, up)), data.sigma_colours);
    root.at = this; // for tests
  }

  #knob(name, part, which) {
    const { data } = this,
      { axes } = data;
    const put = (k, value) => {
      const j = axes[k],
        first = data.mean[j];
      const reach = this.reach[k];
      this[part][j] =
        part === "mean"
          ? Math.min(Math.max(value, first - 0.8 * reach), first + 0.8 * reach)
          : Math.min(Math.max(value, reach / 100), reach / 2);
    };
    const each = (act) => {
      if (!this.held) this.#anew();
      which.slice(0, this.model.J > 1 ? 2 : 1).forEach(act);
      this.#moved();
    };
    return new Knob(this.canvas, name, data.colours.encoder, {
      move: (px, py) =>
        each((k) => {
          const place = this.#place(px, py)[k];
          put(k, part === "mean" ? place : Math.abs(place - this.mean[axes[k]]));
        }),
      step: (dx, dy) =>
        each((k) => {
          const by = (part === "mean" ? (k ? dy : dx) : dx + dy) * this.reach[k] * 0.3;
          put(k, this[part][axes[k]] + by);
        }),
    });
  }

  #resize() {
    this.size = Math.max(this.stage.clientWidth, 100);
    this.tall = Math.max(this.stage.clientHeight, 100);
    this.canvas.setAttribute("width", this.size);
    this.canvas.setAttribute("height", this.tall);
    this.scale = [this.size / (2 * this.reach[0]), this.tall / (2 * this.reach[1])]; // each axis has its own
    this.#moved();
  }

  #screen(a, b) {
    const { axes, mean } = this.data;
    return [this.size / 2 + (a - mean[axes[0]]) * this.scale[0], this.tall / 2 - (b - mean[axes[1]]) * this.scale[1]];
  }

  #place(px, py) {
    const { axes, mean } = this.data;
    return [mean[axes[0]] + (px - this.size / 2) / this.scale[0], mean[axes[1]] - (py - this.tall / 2) / this.scale[1]];
  }

  // The latent at a place of the plane, each coordinate from -1 to 1.
  #lift(across, up) {
    const { axes, mean } = this.data,
      z = Float32Array.from(mean);
    z[axes[0]] += across * this.reach[0];
    z[axes[1]] += up * this.reach[1];
    return z;
  }

  // Where a latent lies on the drawing; those of one dimension lie beside each other, so that all are seen.
  #dot(z, l) {
    const { axes, mean } = this.data;
    if (this.model.J > 1) return this.#screen(z[axes[0]], z[axes[1]]);
    const [x] = this.#screen(z[0], 0);
    return [x, this.tall * (0.2 + (0.6 * l) / this.draws)];
  }

  #value(z) {
    return logLikelihood(this.x, this.model.decode(z, true), this.model.config);
  }

  // What the hand moves is drawn at once; likelihoods and slopes follow in what is left of each frame.
  #moved() {
    this.work = null; // what was being measured is of another q
    this.values = [];
    this.slopes = [];
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      this.#draw();
      if (!this.model.decode) return;
      const { mean } = this.model.decode(this.z[this.chosen]);
      this.picture.grey(mean).say(this.data.words.decoded);
      const work = (this.work = this.#measure());
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

  *#measure() {
    const { axes, deviation } = this.data,
      count = this.model.J > 1 ? 2 : 1;
    for (const z of this.z) {
      this.values.push(this.#value(z));
      yield;
    }
    if (this.arrows === "none") return;
    const { values, draws, noise } = this,
      total = values.reduce((a, b) => a + b);
    for (let l = 0; l < draws; l++) {
      const z = this.z[l],
        slope = [];
      for (let k = 0; k < count; k++) {
        const j = axes[k];
        if (this.arrows === "slope") {
          const step = 0.02 * deviation[j],
            [low, high] = [-step, step].map((by) => {
              const beside = Float32Array.from(z);
              beside[j] += by;
              return this.#value(beside);
            });
          slope.push((high - low) / (2 * step));
          yield;
        } else {
          const less = this.arrows === "less" ? (total - values[l]) / (draws - 1) : 0;
          slope.push(((values[l] - less) * noise[l][j]) / this.deviation[j]);
        }
      }
      this.slopes.push(slope);
    }
  }

  #draw() {
    const { data, layer, slopes, draws } = this,
      { axes, colours, words } = data,
      J = this.model.J;
    const at = this.#screen(this.mean[axes[0]], J > 1 ? this.mean[axes[1]] : data.mean[0]),
      sizes = axes.map((j, k) => this.deviation[j] * this.scale[k]);
    layer.replaceChildren();
    for (const wide of [2, 1]) {
      layer.append(
        J > 1
          ? svg("ellipse", { cx: at[0], cy: at[1], rx: wide * sizes[0], ry: wide * sizes[1], class: "ring" })
          : svg("rect", {
              x: at[0] - wide * sizes[0],
              width: 2 * wide * sizes[0],
              y: 0,
              height: this.tall,
              class: "ring",
            }),
      );
    }
    // an arrow's direction on the drawing: nats for each deviation of the encoder's q, since the axes have scales of their own
    const drawn = (slope) => slope.map((v, k) => v * data.deviation[axes[k]]);
    const longest = Math.max(...slopes.map((slope) => Math.hypot(...drawn(slope))), 1e-12);
    this.z.forEach((z, l) => {
      const [x, y] = this.#dot(z, l),
        dot = svg("circle", {
          cx: x,
          cy: y,
          r: l === this.chosen ? 7 : 4.5,
          class: l === this.chosen ? "dot chosen" : "dot",
        });
      const wide = svg("circle", { cx: x, cy: y, r: 9, fill: "transparent", style: "cursor: pointer" });
      wide.addEventListener("pointerdown", () => {
        this.chosen = l;
        this.#moved();
      });
      if (slopes[l]) layer.append(this.#arrow(x, y, drawn(slopes[l]), 60 / longest, "slope"));
      layer.append(dot, wide);
    });
    let says = "";
    if (this.values.length === draws) {
      const { average, error } = summary(this.values);
      says = words.value
        .replace("{value}", sayNumber(average, 1))
        .replace("{error}", sayNumber(error, 1))
        .replace("{count}", draws);
    }
    if (slopes.length === draws) {
      const both = slopes[0].map((_, k) => summary(slopes.map((slope) => slope[k])));
      const average = drawn(both.map((each) => each.average));
      layer.append(this.#arrow(...at, average, 60 / longest, "average")); // to the same scale
      says += ` ${words.gradient.replace("{name}", data.names[axes[0]]).replace("{value}", this.#short(both[0].average)).replace("{error}", this.#short(both[0].error))}`;
    }
    this.says.textContent = says || this.says.textContent;
    const tell = (j) => `${data.names[j]}: μ ${sayNumber(this.mean[j])}, σ ${sayNumber(this.deviation[j], 3)}`;
    const j = axes[0],
      low = data.mean[j] - this.reach[0],
      high = data.mean[j] + this.reach[0],
      all = [...new Set(axes)].map(tell).join("; ");
    this.knobs.mean.at(...at, this.mean[j], low.toFixed(2), high.toFixed(2), all);
    this.knobs[0].at(at[0] + sizes[0], at[1], this.deviation[j], 0, (this.reach[0] / 2).toFixed(2), all);
    this.knobs[1]?.at(at[0], at[1] - sizes[1], this.deviation[axes[1]], 0, (this.reach[1] / 2).toFixed(2), all);
    this.#drawChart();
  }

  #short(value) {
    return (Math.abs(value) >= 1e5 ? value.toExponential(1) : value.toFixed(Math.abs(value) < 10 ? 1 : 0)).replace(
      "-",
      "−",
    );
  }

  #arrow(x, y, slope, scale, kind) {
    const [dx, dy] = [slope[0] * scale, -(slope[1] ?? 0) * scale],
      length = Math.hypot(dx, dy);
    const [ux, uy] = length ? [dx / length, dy / length] : [0, 0],
      head = Math.min(8, length / 2);
    const tip = [x + dx, y + dy],
      wing = (side) => `L${tip[0] - head * ux - side * head * 0.5 * uy} ${tip[1] - head * uy + side * head * 0.5 * ux}`;
    return svg("path", {
      d: `M${x} ${y}L${tip[0]} ${tip[1]}${wing(1)}M${tip[0]} ${tip[1]}${wing(-1)}`,
      class: `ray ${kind}`,
      style: kind === "average" ? `stroke: ${this.data.colours.gradient}` : "",
    });
  }

  // mu along its first axis, and L1 as these draws see it.
  #sweep() {
    if (!this.model.decode) return;
    const { data } = this,
      j = data.axes[0],
      before = this.mean[j],
      sweep = [],
      held = this.held;
    this.sweeps[held] = sweep;
    let i = 0;
    const next = () => {
      if (!this.root.isConnected || this.sweeps[held] !== sweep) return;
      const value = data.mean[j] + data.deviation[j] * SPAN * ((2 * i) / (SWEEP - 1) - 1);
      this.mean[j] = value;
      if (!held) this.#anew();
      sweep.push([value, summary(this.z.map((z) => this.#value(z))).average]);
      i += 1;
      if (i < SWEEP) requestAnimationFrame(next);
      else this.mean[j] = before;
      this.#moved();
    };
    next();
  }

  #drawChart() {
    const { data, chart, sweeps } = this,
      j = data.axes[0],
      all = Object.values(sweeps).flat();
    const width = Math.max(chart.parentNode?.clientWidth ?? 0, 120),
      height = 150;
    chart.setAttribute("width", width);
    chart.setAttribute("height", height);
    chart.replaceChildren();
    const low = data.mean[j] - SPAN * data.deviation[j],
      high = data.mean[j] + SPAN * data.deviation[j];
    const most = Math.max(...all.map((each) => each[1])),
      least = Math.min(...all.map((each) => each[1]));
    const across = (v) => 6 + ((v - low) / (high - low)) * (width - 12),
      up = (v) => 14 + ((most - v) / Math.max(most - least, 1e-9)) * (height - 44);
    chart.append(svg("line", { x1: 0, x2: width, y1: height - 18, y2: height - 18, class: "axis" }));
    for (const v of [low, high])
      chart.append(
        svg(
          "text",
          { x: v === low ? 0 : width, y: height - 3, style: `text-anchor: ${v === low ? "start" : "end"}` },
          sayNumber(v),
        ),
      );
    if (!all.length) {
      chart.append(svg("text", { x: width / 2, y: height / 2, style: "text-anchor: middle" }, data.words.nothing));
      return;
    }
    for (const [held, sweep] of Object.entries(sweeps)) {
      const places = sweep.map(([v, value]) => [across(v), up(value)]),
        colour = held === "true" ? data.colours.encoder : data.colours.score;
      chart.append(
        svg("path", { d: line(places), fill: "none", stroke: colour, "stroke-width": 2 }),
        ...places.map(([x, y]) => svg("circle", { cx: x, cy: y, r: 2.5, fill: colour })),
      );
    }
    chart.append(
      svg("text", { x: 0, y: 11 }, `${sayNumber(most, 0)} ${data.words.nats}`),
      svg("text", { x: 0, y: height - 24 }, sayNumber(least, 0)),
    );
  }
}

// Mean of some numbers, and its standard error.
function summary(values) {
  const n = values.length,
    average = values.reduce((a, b) => a + b) / n;
  const square = values.reduce((sum, v) => sum + (v - average) ** 2, 0) / (n - 1);
  return { average, error: Math.sqrt(square / n) };
}
