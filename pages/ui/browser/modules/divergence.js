// Two distributions with draggable parameters, continuous or discrete, and their KL divergences in both directions.

import { button, choice } from "./controls.js";
import { element, sayNumber } from "./dom.js";
import { drawNormals, NORMALS, normalKnobs } from "./normals.js";
import { drawShares, SHARES, shareKnobs } from "./shares.js";
import { svg } from "./svg.js";

/** @import { Knob } from "./svg.js" */

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".divergence");
  root.divergence ??= new Divergence(root);
  root.divergence.told(data);
}

class Divergence {
  /** @type {any} */
  data;
  /** @type {number} */
  width;
  /** @type {number} */
  height;
  /** @type {number} */
  ground;
  /** @type {number} */
  top;
  /** @type {SVGSVGElement} */
  canvas;
  /** @type {SVGGElement} */
  back;
  /** @type {HTMLElement} */
  says;
  /** @type {Knob[]} */
  knobs;
  /** @type {number} */
  waiting;

  constructor(root) {
    this.root = root;
    this.state = { normal: structuredClone(NORMALS), discrete: structuredClone(SHARES), kind: "normal", first: "q" };
    root.state = this.state; // for tests
    new ResizeObserver(() => this.data && this.#resize()).observe(root);
  }

  told(data) {
    this.data = data;
    this.#build();
  }

  get other() {
    return this.state.first === "q" ? "p" : "q";
  }

  #build() {
    const { data, root, state } = this;
    const { words } = data;
    const either = (name, options) =>
      choice(words[name], options, state[name], (value) => {
        state[name] = value;
        this.#build();
      });
    const tools = element(
      "div",
      { class: "tools" },
      either("kind", [
        ["normal", words.normal],
        ["discrete", words.discrete],
      ]),
      either("first", [
        ["q", "KL[q ‖ p]"],
        ["p", "KL[p ‖ q]"],
      ]),
      button(words.equal, () => {
        const both = state[state.kind];
        both.q = structuredClone(both.p);
        this.draw();
      }),
      button(words.again, () => {
        state.normal = structuredClone(NORMALS);
        state.discrete = structuredClone(SHARES);
        this.draw();
      }),
    );
    this.canvas = svg("svg", { class: "drag", role: "group", "aria-label": words.picture });
    this.says = element("p", { class: "numbers", role: "status" });
    root.replaceChildren(tools, this.says, this.canvas, element("p", { class: "hint", text: words.hint }));
    this.back = svg("g", { "aria-hidden": "true" });
    this.canvas.append(this.back);
    this.knobs = state.kind === "normal" ? normalKnobs(this) : shareKnobs(this);
    this.#resize();
  }

  #resize() {
    this.width = Math.max(this.root.clientWidth, 200);
    this.height = Math.min(360, Math.max(280, this.width * 0.42));
    this.canvas.setAttribute("width", String(this.width));
    this.canvas.setAttribute("height", String(this.height));
    this.ground = this.height * 0.55; // for the densities; the integrand is below
    this.draw();
  }

  draw() {
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      if (this.state.kind === "normal") drawNormals(this);
      else drawShares(this);
    });
  }

  tell(forth, back) {
    const { words, colours } = this.data;
    const { first } = this.state;
    const number = (v) => `${sayNumber(Math.max(v, 0), 3)} ${words.nats}`;
    const one = (name, value) => {
      const strong = name === `KL[${first} ‖ ${this.other}]`;
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

  // The axis of the lower half: its zero and the height of one unit.
  lower(most, least) {
    const { height, ground } = this;
    const room = height - ground - 44;
    const unit = room / Math.max(most - least, 1e-9);
    return { zero: ground + 34 + most * unit, unit };
  }
}
