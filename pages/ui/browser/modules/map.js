// The map: test images on a plane of latent space, decoded under the pointer.

import { nearest } from "./clusters.js";
import { button, choice, legend, scale } from "./controls.js";
import { element, framed, sayNumber } from "./dom.js";
import { Follower } from "./follower.js";
import { Later } from "./later.js";
import { Picture, showImage } from "./pictures.js";
import { Plane } from "./plane.js";
import { fillWindow } from "./room.js";
import { givenSheet } from "./sheets.js";
import { column, STORE } from "./store.js";
import { wander } from "./wander.js";

/** @import { Mark, Place, Under } from "./plane.js" */

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".map");
  root.lightMap ??= new LatentMap(root);
  root.lightMap.told(data, setStateValue);
  return () => root.lightMap.end();
}

class LatentMap extends Follower {
  /** @type {Plane} */
  plane;
  /** @type {number | null} */
  row;
  /** @type {HTMLElement} */
  stage;
  /** @type {HTMLElement} */
  status;
  /** @type {Picture} */
  mean;
  /** @type {Picture} */
  deviation;
  /** @type {Picture} */
  image;
  /** @type {Under} */
  under;
  /** @type {Place | null} */
  place;
  keyed = false;
  guided = false; // whether the point was not chosen by the user
  /** @type {number} */
  waiting;
  /** @type {any} */
  answer;
  /** @type {any} */
  asked;
  /** @type {number[] | null} */
  asking;

  constructor(root) {
    super(root);
    this.place = null; // under the pointer
    this.later = new Later(() => this.#send());
    this.free = this.rest = () => {};
  }

  end() {
    this.later.end();
    this.free();
    this.rest();
  }

  begin(model) {
    this.asked = null;
    const { classes, centres, inks } = this.data;
    super.begin({ ...model, classes, ...(centres && { labels: nearest(model, centres), colours: inks }) });
    this.plane.show(...this.plane.project(this.z));
    this.root.latentMap = this; // for tests
    this.rest();
    this.rest = wander(this);
  }

  adopt() {
    const { data, model, plane } = this;
    if (this.news()) this.row = data.row;
    if (!data.welcome) this.rest();
    if (data.answer && data.answer !== this.answer) {
      this.answer = data.answer;
      this.asking = null;
    }
    plane.aggregate = data.colours.aggregate;
    plane.given = data.manifold ? givenSheet(model, data.manifold, column(data.levels)) : null;
    plane.setBasis(data.basis);
    plane.setThrough(this.z);
    plane.recolour();
    if (plane.given) {
      plane.setUnder("none");
      plane.setUnder(this.under);
    }
    this.#show();
  }

  build() {
    const { data, model, root } = this;
    const { words } = data;
    const canDecode = !!model.decode;
    root.replaceChildren();
    this.stage = element("div", {
      class: "stage",
      tabindex: 0,
      role: "application",
      "aria-roledescription": words.map,
      "aria-label": words.help,
    });
    this.plane = new Plane(this.stage, model, {
      hover: (place) => this.#hover(place),
      pick: (place) => this.#pick(place),
      nudge: (da, db) => this.#nudge(da, db),
    });
    const icon = (text, name, act) => button(text, act, { title: name, "aria-label": name });
    const zoom = element(
      "div",
      { class: "zoom" },
      icon("+", words.closer, () => this.plane.zoom(1.5)),
      icon("−", words.farther, () => this.plane.zoom(1 / 1.5)),
      icon("⌂", words.whole, () => this.plane.fit()),
    );
    this.under = "none";
    const kinds = [
      ["none", words.points],
      ["manifold", words.manifold],
    ];
    if (model.deviations) kinds.push(["density", words.density]);
    const under = choice(words.under, kinds, "none", (kind) => {
      this.under = kind;
      if (kind === "manifold" && !canDecode) this.#ask({ manifold: true });
      this.plane.setUnder(kind);
    });
    const classes = words.scale
      ? scale(model.colours, words.scale)
      : legend(model, words, (hidden) => this.plane.setHidden(hidden));
    const picture = (text, size) => new Picture(text, model.width, model.height, size);
    this.mean = picture(words.mean);
    this.deviation = picture(words.deviation);
    this.image = picture(words.image);
    this.deviation.figure.hidden = true;
    const sigma = element(
      "label",
      { class: "sigma" },
      element("input", {
        type: "checkbox",
        onchange: (event) => {
          this.deviation.figure.hidden = !event.target.checked;
          this.#show();
        },
      }),
      words.sigma,
    );
    this.status = element("p", { class: "status", role: "status" });
    const side = element(
      "div",
      { class: "side" },
      canDecode ? null : element("p", { class: "note", text: words.server }),
      element("div", { class: "pictures" }, this.mean.figure, this.deviation.figure, this.image.figure),
      sigma,
      this.status,
    );
    root.append(
      element("div", { class: "tools" }, under, classes),
      element("div", { class: "body" }, framed(this.stage, data.titles, zoom), side),
    );
    STORE.stage = this.stage;
    this.free();
    this.free = fillWindow(root, this.stage, side);
  }

  // Shows a point, or none, without a pointer.
  look(place) {
    this.place = place;
    this.guided = !!place;
    this.#show();
  }

  // Pointer events are more frequent than frames; only the last one of a frame is drawn.
  #hover(place) {
    this.place = place;
    this.keyed = this.guided = false;
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      this.#show();
    });
  }

  #pick({ a, b, row }) {
    if (row >= 0) this.#choose(this.#code(row), row);
    else this.#choose(this.plane.lift(a, b, this.z), null);
    this.#send();
  }

  #nudge(da, db) {
    const [a, b] = this.plane.project(this.z);
    this.#choose(this.plane.lift(a + da, b + db, this.z), null);
    this.place = null;
    this.keyed = true;
    this.plane.show(a + da, b + db);
    this.#show();
    this.later.soon(250);
  }

  #choose(z, row) {
    [this.z, this.row] = [z, row];
    this.plane.setThrough(z);
    this.stamp();
    this.#show();
  }

  #send() {
    this.report("chosen", {
      n: this.count,
      row: this.row,
      z: this.row === null ? [...this.z].map((v) => +v.toFixed(4)) : null,
    });
  }

  #code(row) {
    return this.model.means.slice(row * this.model.J, (row + 1) * this.model.J);
  }

  #show() {
    const { model, plane, place, data } = this;
    const { words, colours } = data;
    if (!plane.view) return;
    const over = place && place.row >= 0 ? place.row : null;
    const row = place ? over : this.row;
    const z = over !== null ? this.#code(over) : place ? plane.lift(place.a, place.b, this.z) : this.z;
    const [a, b] = row !== null ? [plane.across[row], plane.up[row]] : place ? [place.a, place.b] : plane.project(z);
    this.#decode(z);
    this.mean.say(row === null ? words.mean : words.reconstruction);
    this.image.say(row === null ? words.no_image : words.image);
    if (row === null) this.image.clear().row = null;
    else showImage(this.image, model, row);
    const ellipse = (n) => (model.deviations && n !== null ? plane.spread(plane.deviationOf(n)) : null);
    const [ca, cb] = this.row !== null ? [plane.across[this.row], plane.up[this.row]] : plane.project(this.z);
    const mark = (n) => ({ covariance: ellipse(n), colour: colours.encoder });
    /** @type {Mark[]} */
    const marks = [{ a: ca, b: cb, shape: this.row === null ? "cross" : "target", ...mark(this.row) }];
    if (place && row !== null) marks.push({ a, b, shape: "ring", ...mark(row) });
    else if (this.guided) marks.push({ a, b, shape: "hand" });
    plane.setKept(ca, cb);
    plane.setMarks(marks);
    this.stage.style.cursor = over !== null ? "pointer" : "crosshair";
    const pair = model.J > 1 ? `(${sayNumber(a)}, ${sayNumber(b)})` : sayNumber(a);
    const where = model.J > 2 ? words.on_plane.replace("{where}", pair) : pair;
    const label = row === null ? undefined : model.classes[model.labels[row]];
    const image = label === undefined ? words.at_plain : words.at_image.replace("{label}", () => label);
    const what =
      row !== null
        ? image.replace("{row}", row).replace("{where}", where)
        : model.J > 2
          ? where
          : words.at_place.replace("{where}", where);
    this.status.setAttribute("aria-live", this.keyed || !place ? "polite" : "off");
    if (this.status.textContent !== what) this.status.textContent = what;
    this.shown = { z, row };
  }

  #decode(z) {
    const { model, data } = this;
    const spread = !this.deviation.figure.hidden;
    const decoded = model.decode ? model.decode(z, spread) : this.#answered(z);
    if (!decoded) return;
    this.mean.plain(decoded.mean);
    if (spread) this.deviation.deviation(decoded.deviation, data.sigma_colours, data.words.range);
  }

  // If the decoder cannot run here, the server decodes one point at a time, always the latest.
  #answered(z) {
    const same = (other) => other?.every((v, j) => Math.abs(v - z[j]) < 2e-4);
    const here = same(this.answer?.z);
    this.mean.figure.classList.toggle("stale", !here);
    if (here) this.asking = null;
    else if (!this.asking || performance.now() - this.asked.at > 2000) {
      this.asking = [...z].map((v) => +v.toFixed(4));
      this.#ask({ z: this.asking, at: performance.now() });
    }
    return this.answer;
  }

  #ask(what) {
    this.asked = { ...this.asked, ...what };
    this.report("asked", this.asked);
  }
}
