// A classifier on a latent plane: regions, uncertainty, and paths to another class, decoded under the pointer.

import { drawClasses } from "./classbars.js";
import { button } from "./controls.js";
import { element, framed, sayNumber } from "./dom.js";
import { Doubt } from "./doubt.js";
import { Follower } from "./follower.js";
import { Later } from "./later.js";
import { Lattice, likeliest } from "./lattice.js";
import { Picture } from "./pictures.js";
import { Regions } from "./regions.js";
import { column, inflate, whenModel } from "./store.js";
import { Ways } from "./ways.js";

/** @import { Place } from "./plane.js" */

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".probe");
  root.prober ??= new Probe(root);
  root.prober.told(data, setStateValue);
  return () => root.prober.later.end();
}

const STEP = 1 / 4096; // nats between two quantisation levels

export class Probe extends Follower {
  /** @type {Regions} */
  plane;
  /** @type {Lattice | null} */
  lattice;
  /** @type {Float32Array | null} */
  density; // log q(z), nats
  /** @type {HTMLElement} */
  stage;
  /** @type {Picture} */
  mean;
  /** @type {HTMLElement} */
  bars;
  /** @type {HTMLElement} */
  between; // says that the bars are interpolated
  /** @type {HTMLElement} */
  status;
  /** @type {HTMLElement} */
  side;
  /** @type {Place | null} */
  place;
  /** @type {Doubt | null} */
  doubt;
  /** @type {Ways | null} */
  ways;
  /** @type {number} */
  waiting;
  /** @type {any} */
  asked;
  /** @type {import("./net.js").Classify | null} */
  classify = null;
  /** @type {string | null} */
  judge = null;

  constructor(root) {
    super(root);
    this.place = null; // under the pointer
    this.lattice = null;
    this.later = new Later(() => this.reportPlace());
  }

  build() {
    const { data, model, root } = this;
    const { words } = data;
    this.stage = element("div", {
      class: "stage",
      tabindex: 0,
      role: "application",
      "aria-roledescription": words.plane,
      "aria-label": words.help,
    });
    const points = { ...model, classes: [] }; // class names are drawn on the regions instead
    this.plane = new Regions(this.stage, points, {
      hover: (place) => this.#hover(place),
      pick: ({ a, b, row }) =>
        this.#choose(
          row < 0 ? this.plane.lift(a, b, this.z) : model.means.slice(row * model.J, (row + 1) * model.J),
          row < 0 ? null : row,
          0,
        ),
      nudge: (da, db) => {
        const [a, b] = this.plane.project(this.z);
        this.place = null;
        this.#choose(this.plane.lift(a + da, b + db, this.z), null, 250);
        this.plane.show(a + da, b + db);
      },
    });
    this.plane.setHidden(new Set(model.labels));
    this.codes = false; // whether the codes are shown
    this.mean = new Picture(words.mean, model.width, model.height);
    this.bars = element("div", { class: "bars", role: "list", "aria-label": words.bars });
    this.between = element("p", { class: "hint" });
    this.status = element("p", { class: "status", role: "status" });
    this.side = element("div", { class: "side" });
    const codes = button(
      words.codes,
      () => {
        const on = codes.getAttribute("aria-pressed") !== "true";
        codes.setAttribute("aria-pressed", String(on));
        this.plane.setHidden(on ? new Set() : new Set(model.labels));
        this.codes = on;
        this.paint();
      },
      { class: "codes", "aria-pressed": "false" },
    );
    root.replaceChildren(element("div", { class: "body" }, framed(this.stage, data.titles, codes), this.side));
    root.probe = this; // for tests
  }

  adopt() {
    const { data, plane } = this;
    if (this.news()) this.row = data.row;
    plane.extent = corners(data.grid);
    plane.setBasis(data.basis);
    if (this.part !== data.part && this.side.childElementCount) plane.fit();
    plane.setThrough(this.z);
    this.density = data.log_q ? Float32Array.from(column(data.log_q)) : null;
    if (this.part !== data.part || !this.side.childElementCount) this.#arrange();
    this.#listen(data.judge);
    this.between.textContent = data.words.between.replace(
      "{count}",
      (data.grid.width * data.grid.height).toLocaleString("en"),
    );
    this.between.hidden = !!data.judge && !!this.model.decode;
    this.doubt?.adopt();
    this.ways?.adopt(data);
    plane.redraw("under", "points", "over"); // the theme may have changed
    this.#unpack();
  }

  // A classifier that can run in the browser is evaluated here; of others only the lattice is known.
  #listen(key) {
    if (key === this.judge) return;
    [this.judge, this.classify] = [key, null];
    if (!key) return;
    whenModel(key, ({ classify }) => {
      if (key !== this.judge) return;
      this.classify = classify ?? null;
      this.show();
    });
  }

  async #unpack() {
    const { data } = this;
    const levels = await inflate(column(data.levels), Uint16Array);
    if (data !== this.data) return;
    this.lattice = new Lattice(
      data.grid,
      Float32Array.from(levels, (level) => -STEP * level),
    );
    this.paint();
    this.show();
  }

  // Builds the elements beside the plane for the current part.
  #arrange() {
    const { data } = this;
    this.part = data.part;
    this.doubt = data.part === "doubt" ? new Doubt(this) : null;
    this.ways = data.part === "flip" ? new Ways(this) : null;
    const picture = element("div", { class: "pictures" }, this.mean.figure, this.doubt?.figure);
    this.side.replaceChildren(
      ...(this.doubt ? [this.doubt.root] : []),
      this.ways ? this.ways.root : picture,
      this.bars,
      this.between,
      this.status,
      ...(this.ways ? [this.ways.below] : []),
    );
    this.root.dataset.part = data.part;
  }

  // Draws the plane for the current part.
  paint() {
    const { data, plane, lattice, doubt, ways } = this;
    if (!lattice) return;
    plane.see({
      lattice,
      inks: data.inks,
      classes: data.classes,
      names: data.names,
      strength: this.codes ? 0.4 : doubt ? 0.45 : ways ? 0.6 : 0.85,
      threshold: doubt?.threshold ?? 0,
      bare: doubt?.bare() ?? null,
      ways: ways?.drawn() ?? [],
    });
  }

  #hover(place) {
    this.place = place;
    this.show();
  }

  #choose(z, row, rest) {
    this.z = Float32Array.from(z);
    this.row = row;
    this.plane.setThrough(this.z);
    this.stamp();
    this.show();
    if (rest) this.later.soon(rest);
    else this.report("chosen", { n: this.count, row, z: row === null ? [...this.z].map((v) => +v.toFixed(4)) : null });
  }

  show() {
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      this.#draw();
    });
  }

  #draw() {
    const { plane, place, lattice, ways } = this;
    if (!plane.view || !lattice) return;
    const walked = place ? null : ways?.at();
    const z = place ? plane.lift(place.a, place.b, this.z) : (walked ?? this.z);
    const [a, b] = plane.project(z);
    const marks = ways?.marks() ?? [{ ...spot(plane, this.z), shape: /** @type {const} */ ("ring") }];
    if (walked) marks.push({ a, b, shape: "ring" });
    plane.setMarks(marks);
    const mean = this.decoded(z);
    if (mean) (ways?.now ?? this.mean).plain(mean);
    const exact = mean && this.classify ? this.classify(mean) : null;
    const known = walked && (ways?.share === 1 || !exact); // the end of a path is almost on the boundary
    const shares = known ? (ways?.shares() ?? null) : (exact ?? lattice.at(a, b));
    drawClasses(this.bars, this.data, shares);
    this.doubt?.mark(a, b);
    ways?.say(place !== null);
    this.#say(a, b, shares);
  }

  /**
   * The mean of p(x|z), decoded here, or by the server when the pointer rests.
   * @param {Float32Array} z
   */
  decoded(z) {
    const { model, data } = this;
    if (model.decode) return model.decode(z).mean;
    const same = (other) => other?.every((v, j) => Math.abs(v - z[j]) < 2e-4);
    if (same(data.answer?.z)) return data.answer.mean;
    if (!this.asked || (!same(this.asked.z) && performance.now() - this.asked.at > 400)) {
      this.asked = { z: [...z].map((v) => +v.toFixed(4)), at: performance.now() };
      this.report("asked", this.asked);
    }
    return null;
  }

  #say(a, b, shares) {
    const { data, model, status, lattice } = this;
    const { words } = data;
    const pair = model.J > 1 ? `(${sayNumber(a)}, ${sayNumber(b)})` : sayNumber(a);
    const where = (model.J > 2 ? words.on_plane : words.at).replace("{where}", pair);
    const corners = lattice?.corners(a, b);
    const nats = this.density && corners ? lattice?.between(this.density, corners) : undefined;
    const parts = [where];
    if (!shares) parts.push(words.outside);
    if (nats !== undefined) parts.push(words.log_q.replace("{nats}", sayNumber(nats, 1)));
    const text = parts.join("; ");
    status.setAttribute("aria-live", this.place ? "off" : "polite");
    if (status.textContent !== text) status.textContent = text;
    if (!shares) return;
    this.shown = { a, b, label: likeliest(shares), shares: [...shares] };
  }
}

const spot = (plane, z) => {
  const [a, b] = plane.project(z);
  return { a, b: plane.model.J > 1 ? b : 0 };
};

const corners = ({ low, step, width, height }) => [
  [low[0] - step / 2, low[1] - step / 2],
  [low[0] + (width - 0.5) * step, low[1] + (height - 0.5) * step],
];
