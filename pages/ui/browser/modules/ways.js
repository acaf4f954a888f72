// From an image to the nearest point of another class: paths to follow on the plane, and saved pairs.

import { button, choice } from "./controls.js";
import { element } from "./dom.js";
import { Picture, showImage } from "./pictures.js";

/** @import { Probe } from "./probe.js" */

const DASHES = { straight: [], density: [2, 7] };
const MOST = 12; // saved pairs

export class Ways {
  /** @param {Probe} probe */
  constructor(probe) {
    const { data, model } = probe;
    const { words } = data;
    this.probe = probe;
    this.named = "straight";
    this.share = 1; // position on the selected path, from 0 to 1
    this.original = new Picture(words.original, model.width, model.height);
    this.first = new Picture(words.start, model.width, model.height);
    this.now = new Picture(words.flip, model.width, model.height);
    this.kinds = element("div");
    this.slider = element("input", {
      type: "range",
      min: 0,
      max: 1,
      step: 0.005,
      value: 1,
      "aria-label": words.walk,
      oninput: () => {
        this.share = +this.slider.value;
        this.probe.show();
      },
    });
    this.says = element("p", { class: "says" });

    this.keep = button(words.keep, () => this.#keep());
    this.pairs = element("div", { class: "pairs", role: "list", "aria-label": words.pairs });
    this.below = element("div", {}, this.pairs, element("p", { class: "hint", text: words.hint }));
    this.root = element(
      "div",
      { class: "ways" },
      this.kinds,
      element("div", { class: "pictures" }, this.original.figure, this.first.figure, this.now.figure),
      element("label", { class: "threshold" }, element("span", { text: words.walk }), this.slider),
      this.says,
      this.keep,
    );
  }

  adopt(data) {
    const first = !this.all;
    this.all = data.ways;
    const names = this.all.map(({ name, title }) => [name, title]);
    if (!names.some(([name]) => name === this.named)) this.named = names[0]?.[0] ?? "straight";
    this.kinds.replaceChildren(
      ...(names.length > 1
        ? [
            choice(data.words.way, names, this.named, (name) => {
              this.named = name;
              this.#walked();
            }),
          ]
        : []),
    );
    const none = !this.all.length;
    for (const part of [this.slider.parentElement, this.keep, this.now.figure]) part?.toggleAttribute("hidden", none);
    this.#original();
    this.#walked();
    this.#pairs(data.pairs);
    if (first) this.#near();
  }

  // Shows the image at whose code the paths begin, if they begin at one, with its label.
  #original() {
    const { row, model, data } = this.probe;
    this.original.figure.hidden = row === null;
    if (row === null) return;
    const label = model.classes[model.labels[row]];
    const says = label === undefined ? data.words.original_plain : data.words.original.replace("{label}", () => label);
    this.original.say(says.replace("{row}", `${row}`));
    showImage(this.original, model, row);
  }

  // Zooms the first view to the paths and their surroundings.
  #near() {
    const { plane, z } = this.probe;
    const [a, b] = plane.project(z);
    const away = this.all.map(({ path }) => plane.project(path.slice(-this.probe.model.J)));
    const reach = Math.max(...away.map(([c, d]) => 2.5 * Math.hypot(c - a, d - b)), 0);
    const most = plane.extent ? (plane.extent[1][0] - plane.extent[0][0]) / 2 : Infinity;
    if (reach && reach < most) plane.centre([a, b], Math.max(reach, 0.15 * most));
  }

  get way() {
    return this.all?.find(({ name }) => name === this.named);
  }

  #walked() {
    const { probe, way } = this;
    this.share = 1;
    this.slider.value = "1";
    this.says.textContent = way ? way.says : probe.data.words.no_way;
    this.first.say(way ? way.from : probe.data.words.start);
    const mean = probe.decoded(probe.z);
    if (mean) this.first.plain(mean);
    probe.paint();
    probe.show();
  }

  // The paths as they are drawn, the selected one last.
  drawn() {
    const { plane } = this.probe;
    const ink = getComputedStyle(this.root).getPropertyValue("--st-text-color").trim() || "#333333";
    const sorted = [...(this.all ?? [])].sort((one) => (one.name === this.named ? 1 : -1));
    return sorted.map(({ name, path }) => ({
      points: corners(path, this.probe.model.J).map((z) => plane.project(z)),
      colour: ink,
      dash: DASHES[name],
      strong: name === this.named,
    }));
  }

  /** @returns {import("./plane.js").Mark[]} */
  marks() {
    const { plane, z } = this.probe;
    const [a, b] = plane.project(z);
    const ends = (this.all ?? []).map(({ path }) => plane.project(path.slice(-this.probe.model.J)));
    return [{ a, b, shape: "ring" }, ...ends.map(([c, d]) => ({ a: c, b: d, shape: /** @type {const} */ ("cross") }))];
  }

  // The current point on the selected path.
  at() {
    const { way, share } = this;
    if (!way) return null;
    const places = corners(way.path, this.probe.model.J);
    const lengths = places.slice(1).map((z, i) => Math.hypot(...z.map((v, j) => v - places[i][j])));
    let left = share * lengths.reduce((sum, length) => sum + length, 0);
    for (let i = 0; i < lengths.length; i++) {
      if (left <= lengths[i] || i === lengths.length - 1) {
        const part = lengths[i] ? Math.min(left / lengths[i], 1) : 1;
        return Float32Array.from(places[i], (v, j) => v + part * (places[i + 1][j] - v));
      }
      left -= lengths[i];
    }
    return null;
  }

  // p(y|z) at that point, interpolated between the values sent by Python.
  shares() {
    const { way, share } = this;
    if (!way) return null;
    const classes = this.probe.data.grid.classes;
    const last = way.shares.length / classes - 1;
    const i = Math.min(Math.floor(share * last), last - 1);
    const u = share * last - i;
    return Array.from({ length: classes }, (_, k) => {
      const [from, to] = [i, i + 1].map((step) => way.shares[step * classes + k]);
      return from + u * (to - from);
    });
  }

  // Sets the caption of the second picture.
  /** @param {boolean} pointed */
  say(pointed) {
    const { words } = this.probe.data;
    this.now.say(pointed ? words.mean : (this.way?.to ?? words.flip));
  }

  #keep() {
    const { probe, way } = this;
    if (!way) return;
    const ends = [probe.z, way.path.slice(-probe.model.J)].map((z) => [...z].map((v) => +v.toFixed(4)));
    const pair = { z: ends[0], flip: ends[1], says: `${way.short}` };
    const kept = [pair, ...this.kept.filter((each) => JSON.stringify(each) !== JSON.stringify(pair))].slice(0, MOST);
    probe.report("pairs", kept);
    this.#pairs(kept);
  }

  #pairs(kept) {
    const { model } = this.probe;
    const { decode } = model;
    this.kept = kept;
    if (!decode) return;
    this.pairs.replaceChildren(
      ...kept.map(({ z, flip, says }) => {
        const two = [z, flip].map((each) => new Picture(says, model.width, model.height).plain(decode(each).mean));
        return element(
          "div",
          { role: "listitem", title: says },
          ...two.map((each) => each.canvas),
          element("span", { text: says }),
        );
      }),
    );
  }
}

function corners(path, J) {
  return Array.from({ length: path.length / J }, (_, i) => path.slice(i * J, i * J + J));
}
