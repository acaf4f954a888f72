// Two distributions, continuous or discrete, that are dragged, and their KL divergence both ways.

import { element, sayNumber } from "./dom.js";
import { Knob, line, svg } from "./svg.js";

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".divergence");
  root.divergence ??= new Divergence(root);
  root.divergence.told(data);
}

const LOW = -4,
  HIGH = 4,
  LEAST = 0.2,
  MOST = 2.5,
  WEIGHTS = 6;
const START = { q: [-0.8, 0.6], p: [0.7, 1.1] };
const SHARES = { q: [0.05, 0.1, 0.3, 0.35, 0.15, 0.05], p: [0.2, 0.2, 0.2, 0.15, 0.15, 0.1] };
const clip = (v, low, high) => Math.min(Math.max(v, low), high);
const logNormal = (x, [mean, deviation]) =>
  -0.5 * (((x - mean) / deviation) ** 2 + Math.log(2 * Math.PI)) - Math.log(deviation);
const normalKL = ([m, s], [n, t]) => Math.log(t / s) + (s * s + (m - n) ** 2) / (2 * t * t) - 0.5;
const discreteKL = (a, b) => a.reduce((sum, v, i) => sum + v * Math.log(v / b[i]), 0);

class Divergence {
  constructor(root) {
    this.root = root;
    this.state = { normal: structuredClone(START), discrete: structuredClone(SHARES), kind: "normal", first: "q" };
    root.state = this.state; // for tests
    new ResizeObserver(() => this.data && this.#resize()).observe(root);
  }

  told(data) {
    this.data = data;
    this.#build();
  }

  get #other() {
    return this.state.first === "q" ? "p" : "q";
  }

  #build() {
    const { data, root, state } = this,
      { words, colours } = data;
    const choice = (name, options) =>
      element(
        "div",
        { class: "choice", role: "group", "aria-label": words[name] },
        ...options.map(([value, text]) =>
          element("button", {
            type: "button",
            text,
            "aria-pressed": String(state[name] === value),
            onclick: () => {
              state[name] = value;
              this.#build();
            },
          }),
        ),
      );
    const tools = element(
      "div",
      { class: "tools" },
      choice("kind", [
        ["normal", words.normal],
        ["discrete", words.discrete],
      ]),
      choice("first", [
        ["q", "KL[q ‖ p]"],
        ["p", "KL[p ‖ q]"],
      ]),
      element("button", {
        type: "button",
        text: words.equal,
        onclick: () => {
          const both = state[state.kind];
          both.q = structuredClone(both.p);
          this.#draw();
        },
      }),
      element("button", {
        type: "button",
        text: words.again,
        onclick: () => {
          state.normal = structuredClone(START);
          state.discrete = structuredClone(SHARES);
          this.#draw();
        },
      }),
    );
    this.canvas = svg("svg", { class: "drag", role: "group", "aria-label": words.picture });
    this.says = element("p", { class: "numbers", role: "status" });
    root.replaceChildren(tools, this.says, this.canvas, element("p", { class: "hint", text: words.hint }));
    this.back = svg("g", { "aria-hidden": "true" });
    this.canvas.append(this.back);
    this.knobs = state.kind === "normal" ? this.#normalKnobs(colours) : this.#discreteKnobs(colours);
    this.#resize();
  }

  #normalKnobs(colours) {
    const knob = (name, which, at) =>
      new Knob(this.canvas, this.data.words[at].replace("{name}", name), colours[name], {
        move: (px) => {
          const x = LOW + (px / this.width) * (HIGH - LOW),
            pair = this.state.normal[name];
          if (which) pair[1] = clip(Math.abs(x - pair[0]), LEAST, MOST);
          else pair[0] = clip(x, LOW + 1, HIGH - 1);
          this.#draw();
        },
        step: (dx, dy) => {
          const pair = this.state.normal[name];
          pair[which] = which ? clip(pair[1] + dx + dy, LEAST, MOST) : clip(pair[0] + dx + dy, LOW + 1, HIGH - 1);
          this.#draw();
        },
      });
    return ["p", "q"].flatMap((name) => [knob(name, 0, "mean"), knob(name, 1, "deviation")]);
  }

  #discreteKnobs(colours) {
    const make = (name, i) => {
      const set = (value) => {
        const shares = this.state.discrete[name],
          rest = 1 - shares[i],
          now = clip(value, 0.01, 0.9);
        shares.forEach((v, k) => (shares[k] = k === i ? now : Math.max(1e-3, (v * (1 - now)) / rest)));
        const sum = shares.reduce((a, b) => a + b);
        shares.forEach((v, k) => (shares[k] = v / sum));
        this.#draw();
      };
      const label = this.data.words.share.replace("{name}", name).replace("{i}", i + 1);
      return new Knob(this.canvas, label, colours[name], {
        move: (_, py) => set(((this.ground - py) / this.ground) * this.top),
        step: (dx, dy) => set(this.state.discrete[name][i] + (dx + dy) / 5),
      });
    };
    return ["p", "q"].flatMap((name) => Array.from({ length: WEIGHTS }, (_, i) => make(name, i)));
  }

  #resize() {
    this.width = Math.max(this.root.clientWidth, 200);
    this.height = Math.min(360, Math.max(280, this.width * 0.42));
    this.canvas.setAttribute("width", this.width);
    this.canvas.setAttribute("height", this.height);
    this.ground = this.height * 0.55; // of the densities; the integrand has what is below
    this.#draw();
  }

  #draw() {
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      if (this.state.kind === "normal") this.#drawNormals();
      else this.#drawShares();
    });
  }

  #tell(forth, back) {
    const { words, colours } = this.data,
      { first } = this.state,
      number = (v) => `${sayNumber(Math.max(v, 0), 3)} ${words.nats}`;
    const one = (name, value) => {
      const strong = name === `KL[${first} ‖ ${this.#other}]`;
      return element(
        "span",
        { class: strong ? "chosen" : "", style: strong ? `--ink: ${colours.kl}` : "" },
        `${name} = `,
        element("b", { text: number(value) }),
      );
    };
    this.says.replaceChildren(one("KL[q ‖ p]", forth), one("KL[p ‖ q]", back));
    this.root.values = { forth, back }; // for tests
  }

  // The axis of the lower half, its zero and how high one unit is.
  #lower(most, least) {
    const { height, ground } = this,
      room = height - ground - 44,
      unit = room / Math.max(most - least, 1e-9);
    return { zero: ground + 34 + most * unit, unit };
  }

  #drawNormals() {
    const { state, width, ground, back } = this,
      { words, colours } = this.data,
      { p, q } = state.normal;
    const steps = 320,
      xs = Array.from({ length: steps + 1 }, (_, i) => LOW + ((HIGH - LOW) * i) / steps);
    const across = (x) => ((x - LOW) / (HIGH - LOW)) * width;
    this.top = 1.15 / (Math.sqrt(2 * Math.PI) * Math.min(p[1], q[1]));
    const up = (v) => ground - (v / this.top) * (ground - 12);
    const one = state.normal[state.first],
      other = state.normal[this.#other];
    const terms = xs.map((x) => Math.exp(logNormal(x, one)) * (logNormal(x, one) - logNormal(x, other)));
    const most = Math.max(0.05, ...terms),
      least = Math.min(-0.05, ...terms),
      { zero, unit } = this.#lower(most, least);
    back.replaceChildren();
    for (const [name, pair] of [
      ["p", p],
      ["q", q],
    ]) {
      const curve = xs.map((x) => [across(x), up(Math.exp(logNormal(x, pair)))]);
      back.append(
        svg("path", { d: `${line(curve)}L${width} ${ground}L0 ${ground}Z`, fill: colours[name], "fill-opacity": 0.12 }),
        svg("path", { d: line(curve), stroke: colours[name], "stroke-width": 2.5, fill: "none" }),
      );
      const side = pair[0] <= (name === "p" ? q : p)[0] ? -1 : 1,
        at = clip(across(pair[0] + side * 1.6 * pair[1]), 14, width - 14);
      back.append(
        svg(
          "text",
          {
            x: at,
            y: up(Math.exp(logNormal(pair[0] + 1.6 * pair[1], pair))) - 10,
            style: `fill: ${colours[name]}`,
            class: "name",
          },
          name,
        ),
      );
    }
    const lower = (keep) =>
      `M0 ${zero}${xs.map((x, i) => `L${across(x).toFixed(2)} ${(zero - unit * keep(terms[i])).toFixed(2)}`).join("")}L${width} ${zero}Z`;
    back.append(
      svg("line", { x1: 0, x2: width, y1: ground, y2: ground, class: "axis" }),
      svg("path", { d: lower((v) => Math.max(v, 0)), fill: colours.kl, "fill-opacity": 0.75 }),
      svg("path", { d: lower((v) => Math.min(v, 0)), fill: colours.kl, "fill-opacity": 0.3 }),
      svg("line", { x1: 0, x2: width, y1: zero, y2: zero, class: "axis" }),
      svg(
        "text",
        { x: 4, y: ground + 18 },
        words.integrand.replaceAll("{a}", state.first).replaceAll("{b}", this.#other),
      ),
    );
    for (let x = LOW + 1; x < HIGH; x++) {
      back.append(svg("text", { x: across(x), y: this.height - 2, class: "tick" }, sayNumber(x, 0)));
    }
    ["p", "q"].forEach((name, k) => {
      const [mean, deviation] = state.normal[name],
        peak = Math.exp(logNormal(mean, [mean, deviation]));
      const says = `${name}: ${words.mean_short} ${sayNumber(mean)}, σ ${sayNumber(deviation)}`;
      this.knobs[2 * k].at(across(mean), up(peak), mean, LOW + 1, HIGH - 1, says);
      const right = mean + deviation < HIGH ? 1 : -1;
      this.knobs[2 * k + 1].at(
        across(mean + right * deviation),
        up(peak * Math.exp(-0.5)),
        deviation,
        LEAST,
        MOST,
        says,
      );
    });
    this.#tell(normalKL(q, p), normalKL(p, q));
  }

  #drawShares() {
    const { state, width, ground, back } = this,
      { words, colours } = this.data,
      { p, q } = state.discrete;
    const room = width / WEIGHTS,
      bar = Math.min(40, room * 0.36);
    this.top = 1.1 * Math.max(0.3, ...p, ...q);
    const up = (v) => ground - (v / this.top) * (ground - 12);
    const one = state.discrete[state.first],
      other = state.discrete[this.#other];
    const terms = one.map((v, i) => v * Math.log(v / other[i]));
    const { zero, unit } = this.#lower(Math.max(0.05, ...terms), Math.min(-0.05, ...terms));
    back.replaceChildren(
      svg("line", { x1: 0, x2: width, y1: ground, y2: ground, class: "axis" }),
      svg("text", { x: 4, y: ground + 18 }, words.terms.replaceAll("{a}", state.first).replaceAll("{b}", this.#other)),
    );
    for (let i = 0; i < WEIGHTS; i++) {
      const middle = (i + 0.5) * room;
      [
        ["p", p, -1],
        ["q", q, 1],
      ].forEach(([name, shares, side], k) => {
        const centre = middle + side * (bar / 2 + 1),
          y = up(shares[i]);
        back.append(
          svg("rect", {
            x: centre - bar / 2,
            y,
            width: bar,
            height: ground - y,
            fill: colours[name],
            "fill-opacity": 0.55,
          }),
        );
        this.knobs[k * WEIGHTS + i].at(centre, y, shares[i], 0.01, 0.9, `${name}: ${sayNumber(shares[i])}`);
      });
      const height = Math.abs(terms[i]) * unit;
      back.append(
        svg("rect", {
          x: middle - bar / 2,
          y: terms[i] > 0 ? zero - height : zero,
          width: bar,
          height,
          fill: colours.kl,
          "fill-opacity": terms[i] > 0 ? 0.75 : 0.3,
        }),
        svg("text", { x: middle, y: this.height - 2, class: "tick" }, String(i + 1)),
      );
    }
    for (const [name, x] of [
      ["p", 12],
      ["q", 30],
    ])
      back.append(svg("text", { x, y: 16, style: `fill: ${colours[name]}`, class: "name" }, name));
    back.append(svg("line", { x1: 0, x2: width, y1: zero, y2: zero, class: "axis" }));
    this.#tell(discreteKL(q, p), discreteKL(p, q));
  }
}
