// A pad to draw a digit on: each stroke is encoded at once, found on the map, decoded and scored.

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".sketch");
  root.sketchPad ??= new Sketch(root);
  root.sketchPad.told(data, setStateValue);
}

const DRAWS = 8; // z ~ q(z|x) for the ELBO; the same noise at each move, so that the number does not tremble

class Sketch {
  constructor(root) {
    this.root = root;
  }

  told(data, report) {
    this.report = report;
    const first = this.data?.model !== data.model;
    this.data = data;
    if (first) {
      this.model = null;
      whenModel(data.model, (model) => {
        if (model.key !== this.data.model) return;
        this.model = model;
        this.#build();
        this.#adopt();
      });
    } else if (this.model) this.#adopt();
  }

  // What Python gives is shown once: an example to begin with, an upload, or what was drawn before a change of pages.
  #adopt() {
    const { data } = this;
    this.plane.aggregate = data.colours.encoder;
    this.plane.through = new Float32Array(this.model.J);
    this.plane.setBasis(data.basis);
    this.plane.recolour();
    const { pixels, example } = data.given;
    if (!this.known.has(pixels) && !(example && this.touched)) {
      this.known.add(pixels);
      this.ink.strokes = [];
      this.ink.ground = Uint8Array.from(atob(pixels), (c) => c.charCodeAt(0));
      this.example = example;
    }
    this.#changed();
  }

  #build() {
    const { data, model, root } = this, { words } = data, { width, height } = model;
    root.replaceChildren();
    this.ink = new Ink(width, height);
    this.known = new Set(); // images that came from Python, or went there: an answer that is late undoes nothing
    this.touched = false;
    this.pen = { x: width / 2, y: height / 2, down: false, shown: false };
    const button = (text, act) => element("button", { type: "button", text, onclick: act });
    this.brush = element("input", { type: "range", min: 1, max: 5, step: 0.1, value: 2.4, "aria-label": words.brush });
    this.fit = element("input", { type: "checkbox", checked: true, onchange: () => this.#finish() });
    this.undo = button(words.undo, () => this.#undo());
    const tools = element("div", { class: "tools" }, element("label", { class: "brush" }, words.brush, this.brush),
      this.undo, button(words.clear, () => this.#clear()),
      element("label", { class: "sigma", title: words.centre_help }, this.fit, words.centre));
    this.pad = element("canvas", { class: "pad", tabindex: 0, role: "application", "aria-label": words.pad });
    this.#listen();
    const picture = (text) => new Picture(text, width, height);
    [this.seen, this.mean] = [picture(words.seen), picture(words.reconstruction)];
    this.score = element("p", { class: "score", role: "status" });
    this.rank = element("canvas", { class: "rank", role: "img", "aria-label": words.rank });
    this.stage = element("div", { class: "stage", tabindex: 0, role: "application", "aria-label": words.map });
    this.plane = new Plane(this.stage, model, { hover: () => {}, pick: () => {}, nudge: () => {} });
    root.append(tools, element("div", { class: "body" },
      element("div", {}, this.pad, element("p", { class: "hint", text: words.hint })),
      element("div", { class: "middle" }, element("div", { class: "pictures" }, this.seen.figure, this.mean.figure), this.score, this.rank),
      element("div", { class: "frame" }, this.stage, element("span", { class: "across", text: data.titles[0] }),
        element("span", { class: "up", text: data.titles[1] }))));
    new ResizeObserver(() => this.#changed()).observe(this.pad);
    const { uniform, normal } = seeded(1);
    this.grain = Float32Array.from({ length: width * height }, uniform);
    this.noise = Array.from({ length: DRAWS }, () => Float32Array.from({ length: model.J }, normal));
    this.root.sketch = this; // for tests
  }

  #listen() {
    const { pad, ink } = this, at = (event) => {
      const box = pad.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * ink.width, ((event.clientY - box.top) / box.height) * ink.height];
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
      for (const part of parts.length ? parts : [event]) this.ink.strokes.at(-1).points.push(at(part));
      this.#changed();
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      pad.addEventListener(kind, (event) => {
        if (this.drawing !== event.pointerId) return;
        this.drawing = null;
        this.#finish();
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
      pen.down = !pen.down;
      if (pen.down) this.#begin([pen.x, pen.y]);
      else this.#finish();
    } else if (event.key === "Backspace" || event.key === "Delete") this.#undo();
    else {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step) return;
      pen.x = Math.min(Math.max(pen.x + step[0], 0), ink.width);
      pen.y = Math.min(Math.max(pen.y + step[1], 0), ink.height);
      if (pen.down) ink.strokes.at(-1).points.push([pen.x, pen.y]);
    }
    pen.shown = true;
    event.preventDefault();
    this.#changed();
  }

  #begin(point) {
    if (this.example) this.ink.ground = null;
    this.example = false;
    this.touched = true;
    this.ink.strokes.push({ points: [point], brush: this.brush.valueAsNumber });
    this.#changed();
  }

  #undo() {
    this.pen.down = false;
    if (this.ink.strokes.length) this.ink.strokes.pop();
    else this.ink.ground = null;
    this.touched = true;
    this.example = false;
    this.#finish();
  }

  #clear() {
    this.pen.down = this.example = false;
    this.touched = true;
    this.ink.strokes = [];
    this.ink.ground = null;
    this.#finish();
  }

  #finish() {
    this.#changed();
    clearTimeout(this.sending);
    this.sending = setTimeout(() => {
      const nothing = this.ink.empty || this.example;
      const pixels = nothing ? null : btoa(String.fromCharCode(...this.ink.pixels(this.fit.checked)));
      this.known.add(pixels);
      this.report("drawn", { n: Date.now(), pixels });
    }, 150);
  }

  #changed() {
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      this.#draw();
    });
  }

  #draw() {
    const { ink, pad, data, pen } = this, { words } = data, box = pad.getBoundingClientRect();
    if (!box.width) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2), side = Math.round(box.width * ratio);
    if (pad.width !== side) [pad.width, pad.height] = [side, Math.round((side * ink.height) / ink.width)];
    const context = pad.getContext("2d"), size = side / ink.width;
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
    this.undo.disabled = ink.empty;
    const pixels = ink.pixels(this.fit.checked);
    this.seen.grey(Float32Array.from(pixels, (v) => v / 255)).say(this.example ? words.example : words.seen);
    if (this.model.encode && this.model.decode) this.#judge(pixels);
    else this.#answered();
  }

  // Encodes, decodes and scores, all in the browser.
  #judge(pixels) {
    const { model, data, grain, noise } = this, { config } = model, { words } = data;
    const binary = config.likelihood === "bernoulli";
    const x = Float32Array.from(pixels, (u, i) => (binary ? +(grain[i] * 255 < u) : (u + grain[i]) / 256));
    const q = model.encode(x), blank = this.ink.empty;
    this.q = q;
    this.mean.grey(model.decode(q.mean).mean);
    let elbo = null, kl = 0;
    if (model.deviations) {
      for (let j = 0; j < model.J; j++) {
        const [m, s] = [q.mean[j], q.deviation[j]];
        kl += 0.5 * (m * m + s * s - 1) - Math.log(s);
      }
      let sum = 0;
      for (const eps of noise) {
        sum += logLikelihood(x, model.decode(Float32Array.from(eps, (e, j) => q.mean[j] + q.deviation[j] * e), true), config);
      }
      elbo = sum / noise.length - kl;
    }
    this.#say(q.mean, model.deviations ? q.deviation : null, elbo, kl, blank ? words.blank : "");
  }

  // Where the nets cannot be had here the server has answered for the last stroke that was reported.
  #answered() {
    const { answer, words } = this.data;
    if (!answer) return void (this.score.textContent = words.server);
    this.mean.grey(answer.reconstruction);
    this.#say(Float32Array.from(answer.mean), answer.deviation && Float32Array.from(answer.deviation), answer.elbo, answer.kl, words.server);
  }

  #say(mean, deviation, elbo, kl, note) {
    const { data, plane, model } = this, { words } = data, elbos = data.elbos ? column(data.elbos) : null;
    const [a, b] = plane.basis ? plane.project(mean) : [0, 0];
    plane.setMarks([{ a, b: model.J > 1 ? b : 0, covariance: deviation && plane.spread(deviation), colour: data.colours.encoder, shape: "cross" }]);
    plane.show(a, b);
    this.elbo = elbo;
    if (elbo === null || !elbos) return void (this.score.textContent = [note, words.no_elbo].filter(Boolean).join(" "));
    let below = 0;
    while (below < elbos.length && elbos[below] < elbo) below += 1;
    const share = (100 * below) / elbos.length, percent = share > 0 && share < 1 ? "< 1" : String(Math.round(share));
    this.score.textContent = [note, words.score.replace("{elbo}", sayNumber(elbo, 1)).replace("{kl}", sayNumber(kl, 1))
      .replace("{percent}", percent).replace("{count}", elbos.length.toLocaleString("en"))].filter(Boolean).join(" ");
    this.#drawRank(elbos, elbo);
  }

  // The test images' ELBOs as bars, the drawing's as a line.
  #drawRank(elbos, elbo) {
    const canvas = this.rank, box = canvas.getBoundingClientRect(), ratio = Math.min(window.devicePixelRatio || 1, 2);
    if (!box.width) return;
    [canvas.width, canvas.height] = [box.width * ratio, box.height * ratio];
    const context = canvas.getContext("2d"), ink = getComputedStyle(canvas).getPropertyValue("--st-text-color") || "#333333";
    context.scale(ratio, ratio);
    const high = elbos[elbos.length - 1], middle = elbos[elbos.length >> 1];
    const low = Math.min(elbos[Math.floor(elbos.length * 0.02)], Math.max(elbo, middle - 4 * (high - middle)));
    const wide = high - low + 1e-6, bins = 40, counts = new Array(bins).fill(0);
    elbos.forEach((v) => v >= low && (counts[Math.min(bins - 1, Math.floor(((v - low) / wide) * bins))] += 1));
    const most = Math.max(...counts), base = box.height - 18, x = (v) => 4 + ((v - low) / wide) * (box.width - 8);
    context.fillStyle = this.data.colours.encoder;
    context.globalAlpha = 0.6;
    counts.forEach((c, i) => context.fillRect(x(low + (i * wide) / bins), base - (c / most) * (base - 8), (box.width - 8) / bins - 1, (c / most) * (base - 8)));
    context.globalAlpha = 1;
    context.fillStyle = context.strokeStyle = ink;
    context.font = "11px sans-serif";
    context.textAlign = "left";
    context.fillText(`${sayNumber(low, 0)}`, 2, box.height - 4);
    context.textAlign = "right";
    context.fillText(`${sayNumber(high, 0)} ${this.data.words.nats}`, box.width - 2, box.height - 4);
    const place = Math.min(Math.max(x(elbo), 3), box.width - 3);
    context.lineWidth = 3;
    context.beginPath();
    context.moveTo(place, 2);
    context.lineTo(place, base);
    context.stroke();
  }
}
