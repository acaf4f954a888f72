// One training step in five stages: data flow forwards through them, gradients backwards.

import { bars } from "./bars.js";
import { element } from "./dom.js";
import { drawLosses, drawPixels, drawPlane } from "./slowdraw.js";
import { drawFigures, stageParts } from "./stages.js";

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".slow");
  root.slowMotion ??= new SlowMotion(root);
  root.slowMotion.told(data);
}

const STAGES = 5;
const REST = 3000; // milliseconds per stage during playback

class SlowMotion {
  /** @type {any} */
  data;
  /** @type {HTMLElement} */
  image;
  /** @type {HTMLButtonElement[]} */
  nodes;
  /** @type {HTMLElement[]} */
  arrows;
  /** @type {HTMLElement} */
  title;
  /** @type {HTMLElement} */
  panel;
  /** @type {HTMLElement} */
  says;
  /** @type {HTMLButtonElement} */
  back;
  /** @type {HTMLButtonElement} */
  next;
  /** @type {HTMLButtonElement} */
  player;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;

  constructor(root) {
    this.root = root;
    new ResizeObserver(() => this.data && this.#draw()).observe(root);
  }

  told(data) {
    const another = this.data?.id !== data.id;
    const first = !this.data;
    if (!another && this.data.words.names[0] === data.words.names[0]) {
      this.data = data;
      return this.#draw(); // the theme has changed
    }
    clearTimeout(this.timer);
    this.data = data;
    this.#build();
    this.#go(another ? 0 : this.stage);
    if (another && !first && this.playing) this.#play();
  }

  #build() {
    const { data, root } = this;
    const { words } = data;
    root.replaceChildren();
    const small = () => element("canvas", { "aria-hidden": "true" });
    this.image = element("div", { class: "given", title: words.x }, small(), element("span", { text: "x" }));
    this.nodes = words.names.map((name, i) =>
      element("button", { type: "button", onclick: () => this.#chosen(i) }, small(), element("span", { text: name })),
    );
    this.arrows = words.arrows.map((text) =>
      element("i", { class: "arrow", "aria-hidden": "true" }, element("span", { text })),
    );
    const flow = element("ol", { class: "flow", "aria-label": words.flow }, element("li", {}, this.image));
    this.nodes.forEach((node, i) => flow.append(element("li", {}, this.arrows[i], node)));
    this.title = element("p", { class: "equation" });
    this.panel = element("div", { class: "panel" });
    this.says = element("p", { class: "says", role: "status" });
    this.back = element("button", { type: "button", text: words.back, onclick: () => this.#chosen(this.stage - 1) });
    this.next = element("button", { type: "button", text: words.next, onclick: () => this.#chosen(this.stage + 1) });
    this.player = element("button", { type: "button", onclick: () => (this.playing ? this.#stop() : this.#play()) });
    this.player.textContent = this.playing ? words.pause : words.play;
    root.append(
      element("div", { class: "tools" }, this.back, this.next, this.player),
      flow,
      this.says,
      this.title,
      this.panel,
    );
  }

  #chosen(stage) {
    this.#stop();
    this.#go(Math.min(Math.max(stage, 0), STAGES - 1));
  }

  #play() {
    this.playing = true;
    this.player.textContent = this.data.words.pause;
    if (this.stage === STAGES - 1) this.#go(0);
    const on = () => {
      this.#go(this.stage + 1);
      if (this.stage < STAGES - 1) this.timer = setTimeout(on, REST);
      else this.#stop();
    };
    clearTimeout(this.timer);
    this.timer = setTimeout(on, REST);
  }

  #stop() {
    clearTimeout(this.timer);
    this.playing = false;
    this.player.textContent = this.data.words.play;
  }

  #go(stage) {
    const { words } = this.data;
    this.stage = stage;
    this.back.disabled = stage === 0;
    this.next.disabled = stage === STAGES - 1;
    const backward = stage === STAGES - 1;
    this.nodes.forEach((node, i) => {
      node.setAttribute("aria-current", i === stage ? "step" : "false");
      node.classList.toggle("ahead", i > stage);
    });
    this.arrows.forEach((arrow, i) => {
      arrow.classList.toggle("flowing", backward || i === stage);
      arrow.classList.toggle("backward", backward);
      arrow.classList.toggle("ahead", i > stage);
    });
    this.root.dataset.stage = stage;
    this.title.textContent = words.equations[stage];
    this.says.textContent = words.says[stage];
    this.panel.replaceChildren(...stageParts(stage, this.data));
    this.#draw();
  }

  #draw() {
    const { data } = this;
    const small = [this.image, ...this.nodes].map((node) => node.querySelector("canvas"));
    drawPixels(small[0], data.x, data, 0);
    bars(small[1], data.mean, data.colours.encoder, data.drawn ? data.deviation : data.deviation.map(() => 0));
    drawPlane(small[2], data, true);
    drawPixels(small[3], data.decoded_mean, data, 0);
    drawLosses(small[4], data, true);
    bars(small[5], data.mean_gradient, data.colours.gradient);
    drawFigures(this.panel);
  }
}
