// A pad to draw a digit: each stroke is immediately encoded, shown on the map, decoded and scored.

import { button } from "./controls.js";
import { element, sayNumber } from "./dom.js";
import { wordsOf } from "./follower.js";
import { Judge } from "./judge.js";
import { Later } from "./later.js";
import { Pad } from "./pad.js";
import { Picture } from "./pictures.js";
import { Plane } from "./plane.js";
import { drawRank } from "./rank.js";
import { column, whenModel } from "./store.js";

/** @import { Encode } from "./net.js" */
/** @import { Model } from "./store.js" */

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".sketch");
  root.sketchPad ??= new Sketch(root);
  root.sketchPad.told(data, setStateValue);
  return () => root.sketchPad.later.end();
}

class Sketch {
  /** @type {any} */
  data;
  /** @type {Model} */
  model;
  /** @type {(name: string, value: object) => void} */
  report;
  /** @type {Pad} */
  pad;
  /** @type {Judge} */
  judge;
  /** @type {Plane} */
  plane;
  /** @type {Picture} */
  seen;
  /** @type {Picture} */
  mean;
  /** @type {HTMLInputElement} */
  fit;
  /** @type {HTMLElement} */
  fitting;
  /** @type {HTMLButtonElement} */
  undo;
  /** @type {HTMLElement} */
  score;
  /** @type {HTMLCanvasElement} */
  rank;
  /** @type {HTMLElement} */
  stage;
  /** @type {Set<string>} */
  known; // drawings received from or sent to Python, so that a late response undoes nothing
  /** @type {string | null} */
  shown;
  /** @type {number | null} */
  elbo;
  /** @type {ReturnType<Encode> | null} */
  q;
  /** @type {number} */
  waiting;

  constructor(root) {
    this.root = root;
    this.ready = false; // while the model is loading
    this.later = new Later(() => this.#send());
  }

  told(data, report) {
    this.report = report;
    const another = this.data?.model !== data.model;
    const first = another || wordsOf(this.data) !== wordsOf(data);
    this.data = data;
    if (first) {
      this.ready = false;
      whenModel(data.model, (model) =>
        whenModel(`${data.model} encoder`, ({ encode }) => {
          if (model.key !== this.data.model) return;
          this.model = { ...model, encode, classes: data.classes };
          this.ready = true;
          if (another || !this.pad) this.#empty();
          this.#build();
          this.#adopt();
        }),
      );
    } else if (this.ready) this.#adopt();
  }

  get ink() {
    return this.pad.ink;
  }

  // Data from Python are applied once: an example, an upload, or a drawing from before a page change.
  #adopt() {
    const { data, pad } = this;
    this.plane.aggregate = data.colours.encoder;
    this.plane.setBasis(data.basis);
    this.plane.recolour();
    const { id, example, strokes, ground } = data.given;
    if (!this.known.has(id) && !(example && pad.touched)) {
      this.known.add(id);
      pad.put(strokes, ground ? Uint8Array.from(atob(ground), (c) => c.charCodeAt(0)) : null, example);
      this.shown = id;
    }
    this.#changed();
  }

  #empty() {
    const { width, height } = this.model;
    this.known = new Set();
    this.pad = new Pad(width, height, {
      begun: () => {
        this.shown = null;
        this.#changed();
      },
      changed: () => this.#changed(),
      finished: (rest) => this.#finish(rest),
    });
  }

  #build() {
    const { data, model, root, pad } = this;
    const { words } = data;
    root.replaceChildren();
    pad.build(words);
    this.judge = new Judge(model);
    this.fit = element("input", { type: "checkbox", checked: data.centred, onchange: () => this.#finish(0) });
    this.fitting = element("label", { class: "sigma", title: words.centre_help }, this.fit, words.centre);
    this.undo = button(words.undo, () => pad.undo());
    const tools = element(
      "div",
      { class: "tools" },
      element("label", { class: "brush" }, words.brush, pad.brush),
      this.undo,
      button(words.clear, () => pad.clear()),
      this.fitting,
    );
    const picture = (text) => new Picture(text, model.width, model.height);
    [this.seen, this.mean] = [picture(words.seen), picture(words.reconstruction)];
    this.score = element("p", { class: "score", role: "status", "aria-live": "polite" });
    this.rank = element("canvas", { class: "rank", role: "img", "aria-label": words.rank });
    this.stage = element("div", { class: "stage", role: "img", "aria-label": words.map });
    this.plane = new Plane(this.stage, model, { hover: () => {}, pick: () => {}, nudge: () => {} });
    root.append(
      tools,
      element(
        "div",
        { class: "body" },
        element("div", {}, pad.canvas, element("p", { class: "hint", text: words.hint })),
        element(
          "div",
          { class: "middle" },
          element("div", { class: "pictures" }, this.seen.figure, this.mean.figure),
          this.score,
          this.rank,
        ),
        element(
          "div",
          { class: "frame" },
          this.stage,
          element("span", { class: "across", text: data.titles[0] }),
          element("span", { class: "up", text: data.titles[1] }),
        ),
      ),
    );
    this.root.sketch = this; // for tests
  }

  #finish(rest) {
    this.shown = null;
    this.#changed();
    this.later.soon(rest);
    if (!rest) this.later.now();
  }

  #send() {
    const { ink, example } = this.pad;
    const nothing = ink.empty || example;
    const n = Date.now();
    const text = (pixels) => btoa(String.fromCharCode(...pixels));
    this.shown = String(n);
    this.known.add(this.shown);
    this.report("drawn", {
      n,
      strokes: ink.strokes,
      pixels: nothing ? null : text(ink.pixels(this.fit.checked)),
      ground: nothing || !ink.ground ? null : text(ink.ground),
    });
  }

  #changed() {
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      this.#draw();
    });
  }

  #draw() {
    const { pad, data, model } = this;
    const { words } = data;
    if (!pad.draw()) return;
    const { ink, example } = pad;
    this.undo.disabled = !pad.past.length;
    this.fit.disabled = !!ink.ground && !example; // an image under the strokes is not moved
    this.fitting.title = this.fit.disabled ? words.over : words.centre_help;
    this.score.setAttribute("aria-live", pad.stroke ? "off" : "polite");
    const pixels = ink.pixels(this.fit.checked);
    this.seen.plain(Float32Array.from(pixels, (v) => v / 255)).say(example ? words.example : words.seen);
    if (ink.empty) this.#nothing();
    else if (model.encode && model.decode) this.#judged(this.judge.judge(pixels));
    else this.#answered();
  }

  #judged({ q, reconstruction, elbo, kl }) {
    this.q = q;
    this.mean.plain(reconstruction);
    this.#say(q.mean, this.model.deviations ? q.deviation : null, elbo, kl, "");
  }

  // If the networks cannot run here, the server responds after each stroke; until then its last response is dimmed.
  #answered() {
    const { answer, words } = this.data;
    this.mean.figure.classList.toggle("stale", answer?.id !== this.shown);
    if (!answer) return void (this.score.textContent = words.server);
    this.mean.plain(answer.reconstruction);
    const deviation = this.model.deviations && Float32Array.from(answer.deviation);
    this.#say(Float32Array.from(answer.mean), deviation, deviation ? answer.elbo : null, answer.kl, words.server);
  }

  #nothing() {
    this.mean.clear();
    this.plane.setMarks([]);
    this.elbo = this.q = null;
    this.rank.width = 0;
    this.score.textContent = this.data.words.blank;
  }

  #say(mean, deviation, elbo, kl, note) {
    const { data, plane, model } = this;
    const { words } = data;
    const elbos = data.elbos ? column(data.elbos) : null;
    const [a, b] = plane.basis ? plane.project(mean) : [0, 0];
    plane.setMarks([
      {
        a,
        b: model.J > 1 ? b : 0,
        covariance: deviation && plane.spread(deviation),
        colour: data.colours.encoder,
        shape: "cross",
      },
    ]);
    plane.show(a, b);
    this.elbo = elbo;
    if (elbo === null || !elbos) return void (this.score.textContent = [note, words.no_elbo].filter(Boolean).join(" "));
    const below = elbos.reduce((count, v) => count + (v < elbo), 0);
    const share = (100 * below) / elbos.length;
    const whole = Math.round(share);
    const percent = share > 0 && share < 1 ? "< 1" : share < 100 && share > 99 ? "> 99" : String(whole);
    this.score.textContent = [
      note,
      words.score
        .replace("{elbo}", sayNumber(elbo, 1))
        .replace("{kl}", sayNumber(kl, 1))
        .replace("{percent}", percent)
        .replace("{count}", elbos.length.toLocaleString("en")),
    ]
      .filter(Boolean)
      .join(" ");
    drawRank(this.rank, elbos, elbo, data.colours.encoder, words.nats);
  }
}
