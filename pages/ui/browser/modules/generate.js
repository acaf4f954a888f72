// The generative model, interactively: a point of the decoded plane with the mean, sigma and samples of x.

import { button } from "./controls.js";
import { element, sayNumber } from "./dom.js";
import { Follower } from "./follower.js";
import { Later } from "./later.js";
import { Picture } from "./pictures.js";
import { Plane } from "./plane.js";
import { seeded } from "./seeded.js";

/** @import { Basis } from "./basis.js" */
/** @import { Place } from "./plane.js" */

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".generate");
  root.generator ??= new Generative(root);
  root.generator.told(data, setStateValue);
  return () => root.generator.later.end();
}

const DRAWS = 6;

class Generative extends Follower {
  /** @type {Plane} */
  plane;
  /** @type {Picture} */
  mean;
  /** @type {Picture} */
  deviation;
  /** @type {Picture[]} */
  draws;
  /** @type {Place | null} */
  place;
  /** @type {HTMLElement} */
  status;
  /** @type {Basis} */
  framed;
  /** @type {number} */
  waiting;

  constructor(root) {
    super(root);
    this.seed = 1;
    this.place = null; // under the pointer
    this.later = new Later(() => this.reportPlace());
  }

  adopt() {
    this.news();
    this.plane.setBasis(this.data.basis);
    this.plane.setThrough(this.z);
    if (this.plane.view && this.framed !== this.plane.basis) this.#frame();
    this.plane.setUnder("manifold");
    this.#show();
  }

  build() {
    const { data, model, root } = this;
    const { words } = data;
    root.replaceChildren();
    if (!model.decode) root.append(element("p", { class: "note", text: words.server }));
    const stage = element("div", {
      class: "stage",
      tabindex: 0,
      role: "application",
      "aria-roledescription": words.plane,
      "aria-label": words.help,
    });
    this.plane = new Plane(stage, model, {
      hover: (place) => this.#hover(place),
      pick: ({ a, b }) => this.#choose(this.plane.lift(a, b, this.z), 0),
      nudge: (da, db) => {
        const [a, b] = this.plane.project(this.z);
        this.place = null;
        this.#choose(this.plane.lift(a + da, b + db, this.z), 250);
        this.plane.show(a + da, b + db);
      },
    });
    this.plane.setHidden(new Set(model.labels));
    const picture = (text) => new Picture(text, model.width, model.height);
    this.mean = picture(words.mean);
    this.deviation = picture(words.deviation);
    this.draws = Array.from({ length: DRAWS }, (_, i) => picture(`${words.draw} ${i + 1}`));
    for (const { caption } of this.draws) caption.hidden = true;
    this.status = element("p", { class: "status", role: "status" });
    const across = element("span", { class: "across", text: data.titles[0] });
    const up = element("span", { class: "up", text: data.titles[1] });
    root.append(
      element(
        "div",
        { class: "tools" },
        button(words.prior, () => {
          const { normal } = seeded(Math.random() * 2 ** 32);
          this.#choose(Float32Array.from({ length: model.J }, normal), 60);
          this.plane.show(...this.plane.project(this.z));
        }),
        button(words.again, () => {
          this.seed += DRAWS;
          this.#show();
        }),
      ),
      element(
        "div",
        { class: "body" },
        element("div", { class: "frame" }, stage, across, up),
        element(
          "div",
          { class: "side" },
          element("div", { class: "pictures" }, this.mean.figure, this.deviation.figure),
          element("p", { class: "hint", text: words.draws }),
          element("div", { class: "pictures draws" }, ...this.draws.map((each) => each.figure)),
          this.status,
        ),
      ),
    );
    this.root.generate = this; // for tests
  }

  // The view shows the prior, and moves if z is outside.
  #frame() {
    const { plane } = this;
    const [a, b] = plane.project(new Float32Array(this.model.J));
    this.framed = plane.basis;
    plane.view = { x: a, y: b, scale: Math.min(plane.width, plane.height) / 7 };
    plane.zoom(1);
    plane.show(...plane.project(this.z));
  }

  // Pointer events are more frequent than frames; only the last one of a frame is drawn.
  #hover(place) {
    this.place = place;
    this.#show();
  }

  #choose(z, rest) {
    this.z = Float32Array.from(z);
    this.plane.setThrough(this.z);
    this.stamp();
    this.#show();
    this.later.soon(rest);
  }

  #show() {
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      this.#draw();
    });
  }

  #draw() {
    const { model, plane, data, place } = this;
    const { words } = data;
    if (!plane.view) return this.#show();
    const z = place ? plane.lift(place.a, place.b, this.z) : this.z;
    const [ca, cb] = plane.project(this.z);
    plane.setMarks([{ a: ca, b: model.J > 1 ? cb : 0, shape: "ring" }]);
    const text = words.at.replace(
      "{z}",
      [...z]
        .slice(0, 4)
        .map((v) => sayNumber(v))
        .join(", ") + (z.length > 4 ? ", …" : ""),
    );
    this.status.setAttribute("aria-live", place ? "off" : "polite");
    if (this.status.textContent !== text) this.status.textContent = text;
    if (!model.decode) return;
    const { mean, deviation } = model.decode(z, true);
    const binary = model.config.likelihood === "bernoulli";
    this.mean.plain(mean);
    this.deviation.figure.hidden = !data.spread;
    this.deviation.deviation(deviation, data.sigma_colours, words.range);
    this.draws.forEach((picture, i) => {
      const { uniform, normal } = seeded(this.seed + i);
      picture.plain(Float32Array.from(mean, (m, d) => (binary ? +(uniform() < m) : m + deviation[d] * normal())));
    });
  }
}
