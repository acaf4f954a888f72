// A pad to draw a digit on: each stroke is encoded at once, found on the map, decoded and scored.

import { element, sayNumber } from "./dom.js";
import { wordsOf } from "./follower.js";
import { Later } from "./later.js";
import { logLikelihood } from "./net.js";
import { seeded } from "./seeded.js";
import { Picture } from "./pictures.js";
import { Plane } from "./plane.js";
import { drawRank } from "./rank.js";
import { column, whenModel } from "./store.js";
import { drawStrokes, Ink } from "./stroke.js";

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".sketch");
  root.sketchPad ??= new Sketch(root);
  root.sketchPad.told(data, setStateValue);
  return () => root.sketchPad.later.end();
}

const DRAWS = 8; // z ~ q(z|x) for the ELBO; the same noise at each move, so that the number does not tremble

class Sketch {
  constructor(root) {
    this.root = root;
    this.later = new Later(() => this.#send());
  }

  told(data, report) {
    this.report = report;
    const another = this.data?.model !== data.model,
      first = another || wordsOf(this.data) !== wordsOf(data);
    this.data = data;
    if (first) {
      this.model = null;
      whenModel(data.model, (model) =>
        whenModel(`${data.model} encoder`, ({ encode }) => {
          if (model.key !== this.data.model) return;
          this.model = { ...model, encode, classes: data.classes };
          if (another || !this.ink) this.#empty();
          this.#build();
          this.#adopt();
        }),
      );
    } else if (this.model) this.#adopt();
  }

  // What Python gives is shown once: an example to begin with, an upload, or what was drawn before a change of pages.
  #adopt() {
    const { data } = this;
    this.plane.aggregate = data.colours.encoder;
    this.plane.setBasis(data.basis);
    this.plane.recolour();
    const { id, example, strokes, ground } = data.given;
    if (!this.known.has(id) && !(example && this.touched)) {
      this.known.add(id);
      if (!this.example) this.#remember();
      this.#lift();
      this.ink.strokes = strokes;
      this.ink.ground = ground ? Uint8Array.from(atob(ground), (c) => c.charCodeAt(0)) : null;
      this.example = example;
      this.shown = id;
    }
    this.#changed();
  }

  // What undo goes back to.
  #remember() {
    if (!this.ink.empty || this.past.length) this.past.push([this.ink.strokes, this.ink.ground]);
  }

  // Ends a stroke that is being drawn.
  #lift() {
    this.stroke = this.drawing = null;
    this.pen.down = false;
  }

  #empty() {
    const { width, height } = this.model;
    this.ink = new Ink(width, height);
    this.known = new Set(); // drawings that came from Python, or went there: an answer that is late undoes nothing
    this.touched = this.example = false;
    this.past = [];
    this.pen = { x: width / 2, y: height / 2, down: false, shown: false };
  }

  #build() {
    const { data, model, root } = this,
      { words } = data,
      { width, height } = model;
    root.replaceChildren();
    const button = (text, act) => element("button", { type: "button", text, onclick: act });
    this.brush = element("input", { type: "range", min: 1, max: 5, step: 0.1, value: 2.4, "aria-label": words.brush });
    this.fit = element("input", { type: "checkbox", checked: true, onchange: () => this.#finish(0) });
    this.undo = button(words.undo, () => this.#undo());
    const tools = element(
      "div",
      { class: "tools" },
      element("label", { class: "brush" }, words.brush, this.brush),
      this.undo,
      button(words.clear, () => this.#clear()),
      element("label", { class: "sigma", title: words.centre_help }, this.fit, words.centre),
    );
    this.pad = element("canvas", { class: "pad", tabindex: 0, role: "application", "aria-label": words.pad });
    this.#listen();
    const picture = (text) => new Picture(text, width, height);
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
        element("div", {}, this.pad, element("p", { class: "hint", text: words.hint })),
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
    new ResizeObserver(() => this.#changed()).observe(this.pad);
    const { uniform, normal } = seeded(1);
    this.grain = Float32Array.from({ length: width * height }, uniform);
    this.noise = Array.from({ length: DRAWS }, () => Float32Array.from({ length: model.J }, normal));
    this.root.sketch = this; // for tests
  }

  #listen() {
    const { pad, ink } = this,
      at = (event) => {
        const box = pad.getBoundingClientRect();
        const x = ((event.clientX - box.left) / box.width) * ink.width,
          y = ((event.clientY - box.top) / box.height) * ink.height;
        return [Math.round(100 * x) / 100, Math.round(100 * y) / 100]; // as they are kept
      };
    pad.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      pad.setPointerCapture(event.pointerId);
      this.#begin(at(event));
      this.drawing = event.pointerId;
    });
    pad.addEventListener("pointermove", (event) => {
      if (this.drawing !== event.pointerId) return;
      const parts = event.getCoalescedEvents?.() ?? [];
      for (const part of parts.length ? parts : [event]) this.stroke.points.push(at(part));
      this.#changed();
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      pad.addEventListener(kind, (event) => {
        if (this.drawing !== event.pointerId) return;
        this.#lift();
        this.#finish(0);
      });
    }
    pad.addEventListener("keydown", (event) => this.#key(event));
    pad.addEventListener("blur", () => {
      this.pen.shown = false;
      this.#changed();
    });
  }

  // Arrow keys move a pen, the space bar lowers and lifts it.
  #key(event) {
    const { pen, ink } = this;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") this.#undo();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === " ") {
      if (pen.down) {
        this.#lift();
        this.#finish(0);
      } else {
        this.#begin([pen.x, pen.y]);
        pen.down = true;
      }
    } else if (event.key === "Backspace" || event.key === "Delete") this.#undo();
    else {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step) return;
      pen.x = Math.min(Math.max(pen.x + step[0], 0), ink.width);
      pen.y = Math.min(Math.max(pen.y + step[1], 0), ink.height);
      if (pen.down) this.stroke.points.push([pen.x, pen.y]);
    }
    pen.shown = true;
    event.preventDefault();
    this.#changed();
  }

  #begin(point) {
    this.#lift();
    if (this.example) this.ink.ground = null;
    else this.#remember();
    if (this.example) this.past.push([[], null]);
    this.example = false;
    this.touched = true;
    this.stroke = { points: [point], brush: this.brush.valueAsNumber };
    this.ink.strokes = [...this.ink.strokes, this.stroke];
    this.shown = null;
    this.#changed();
  }

  #undo() {
    this.#lift();
    if (!this.past.length) return;
    [this.ink.strokes, this.ink.ground] = this.past.pop();
    this.example = false;
    this.touched = true;
    this.#finish(150);
  }

  #clear() {
    this.#lift();
    if (!this.example && !this.ink.empty) this.#remember();
    this.example = false;
    this.touched = true;
    [this.ink.strokes, this.ink.ground] = [[], null];
    this.#finish(0);
  }

  #finish(rest) {
    this.shown = null;
    this.#changed();
    this.later.soon(rest);
    if (!rest) this.later.now();
  }

  #send() {
    const { ink, example } = this,
      nothing = ink.empty || example,
      n = Date.now();
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
    const { ink, pad, data, pen } = this,
      { words } = data,
      box = pad.getBoundingClientRect();
    if (!box.width) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2),
      side = Math.round(box.width * ratio);
    if (pad.width !== side) [pad.width, pad.height] = [side, Math.round((side * ink.height) / ink.width)];
    const context = pad.getContext("2d"),
      size = side / ink.width;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000000";
    context.fillRect(0, 0, pad.width, pad.height);
    if (ink.ground) {
      const small = new Picture("", ink.width, ink.height).grey(Float32Array.from(ink.ground, (v) => v / 255)).canvas;
      context.imageSmoothingEnabled = false;
      context.globalAlpha = this.example ? 0.6 : 1;
      context.drawImage(small, 0, 0, pad.width, pad.height);
      context.globalAlpha = 1;
    }
    drawStrokes(context, ink.strokes, size);
    if (pen.shown) {
      context.strokeStyle = pen.down ? "#ffa90e" : "#3f90da";
      context.lineWidth = 2 * ratio;
      context.beginPath();
      context.arc(pen.x * size, pen.y * size, 7 * ratio, 0, 2 * Math.PI);
      context.stroke();
    }
    this.undo.disabled = !this.past.length;
    this.fit.disabled = !!ink.ground && !this.example; // an image under the strokes stays where it is
    this.fit.parentElement.title = this.fit.disabled ? words.over : words.centre_help;
    this.score.setAttribute("aria-live", this.stroke ? "off" : "polite");
    const pixels = ink.pixels(this.fit.checked);
    this.seen.grey(Float32Array.from(pixels, (v) => v / 255)).say(this.example ? words.example : words.seen);
    if (ink.empty) this.#nothing();
    else if (this.model.encode && this.model.decode) this.#judge(pixels);
    else this.#answered();
  }

  // Encodes, decodes and scores, all in the browser.
  #judge(pixels) {
    const { model, grain, noise } = this,
      { config } = model,
      binary = config.likelihood === "bernoulli";
    const x = Float32Array.from(pixels, (u, i) => (binary ? +(grain[i] * 255 < u) : (u + grain[i]) / 256));
    const q = (this.q = model.encode(x));
    this.mean.grey(model.decode(q.mean).mean);
    if (!model.deviations) return this.#say(q.mean, null, null, 0, "");
    let kl = 0,
      sum = 0;
    for (let j = 0; j < model.J; j++) {
      const [m, s] = [q.mean[j], q.deviation[j]];
      kl += 0.5 * (m * m + s * s - 1) - Math.log(s);
    }
    for (const eps of noise) {
      sum += logLikelihood(
        x,
        model.decode(
          Float32Array.from(eps, (e, j) => q.mean[j] + q.deviation[j] * e),
          true,
        ),
        config,
      );
    }
    this.#say(q.mean, q.deviation, sum / noise.length - kl, kl, "");
  }

  // Where the nets cannot be had here the server answers after each stroke; until then its last answer is pale.
  #answered() {
    const { answer, words } = this.data;
    this.mean.figure.classList.toggle("stale", answer?.id !== this.shown);
    if (!answer) return void (this.score.textContent = words.server);
    this.mean.grey(answer.reconstruction);
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
    const { data, plane, model } = this,
      { words } = data,
      elbos = data.elbos ? column(data.elbos) : null;
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
    const below = elbos.reduce((count, v) => count + (v < elbo), 0),
      share = (100 * below) / elbos.length;
    const whole = Math.round(share),
      percent = share > 0 && share < 1 ? "< 1" : share < 100 && share > 99 ? "> 99" : String(whole);
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
