// One step of the optimiser in five stages: the data flows forwards through them, the gradients back.

import { bars, largest, sharp, short } from "./bars.js";
import { element } from "./dom.js";

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".slow");
  root.slowMotion ??= new SlowMotion(root);
  root.slowMotion.told(data);
}

const STAGES = 5,
  REST = 3000; // milliseconds that a stage stands while it plays
const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const nats = (v) => v.toLocaleString("en", { maximumFractionDigits: 1, minimumFractionDigits: 1 }).replace("-", "−");

class SlowMotion {
  constructor(root) {
    this.root = root;
    new ResizeObserver(() => this.data && this.#draw()).observe(root);
  }

  told(data) {
    const another = this.data?.id !== data.id,
      first = !this.data;
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
    const { data, root } = this,
      { words } = data;
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
    this.panel.replaceChildren(...this.#parts(stage));
    this.#draw();
  }

  // What stands large under the flow: figures that know how to draw themselves, and lines of numbers.
  #parts(stage) {
    const { data } = this,
      { words } = data,
      [a, b] = data.axes;
    const chart = (name, values, colour, whiskers = null) =>
      figure(
        words[name],
        "chart",
        (canvas) => bars(canvas, values, colour, whiskers, data.names),
        `${words[name]}: ${largest(values, data.names)}`,
      );
    const image = (name, values, top = 0) =>
      figure(fill(words[name], { top: short(top) }), "pixels", (canvas) => pixels(canvas, values, data, top));
    const table = (rows) =>
      element(
        "table",
        {},
        ...rows.map((row) =>
          element("tr", {}, ...row.map((text, i) => element(i ? "td" : "th", { text, scope: i ? null : "row" }))),
        ),
      );
    const places = a === b ? [a] : [a, b];
    if (stage === 0)
      return [
        image("x", data.x),
        chart("encoded", data.mean, data.colours.encoder, data.drawn ? data.deviation : data.deviation.map(() => 0)),
      ];
    if (stage === 1) {
      const draws = places.map((j) => [
        data.names[j],
        fill(words.draw, {
          mean: short(data.mean[j]),
          deviation: short(data.deviation[j]),
          noise: short(data.noise[0][j]),
          z: short(data.z[0][j]),
        }),
      ]);
      const more = data.z.length > 1 ? element("p", { text: fill(words.draws, { count: data.draws }) }) : null;
      return [
        figure(words.plane, "square", (canvas) => plane(canvas, data), draws.map((row) => row.join(" ")).join("; ")),
        element("div", {}, table(draws), more),
      ];
    }
    if (stage === 2)
      return [
        image("x", data.x),
        image("decoded_mean", data.decoded_mean),
        image("decoded_deviation", data.decoded_deviation, Math.max(...data.decoded_deviation)),
      ];
    if (stage === 3) {
      const sum = ["reconstruction", "kl", "loss"]
        .map((name, i) => `${words[name]} ${nats(data.losses[i])}`)
        .join("; ");
      return [
        figure(words.losses, "chart", (canvas) => losses(canvas, data), sum),
        data.drawn && chart("by_dimension", data.kl_by_dimension, data.colours.kl),
        data.plain ? null : element("p", { text: words.other }),
      ].filter(Boolean);
    }
    const moved = data.weights.map(([norm, change], i) => [
      words.parts[i],
      fill(words.moved, { change: short(change), norm: short(norm), percent: short((100 * change) / norm) }),
    ]);
    return [
      chart("mean_gradient", data.mean_gradient, data.colours.gradient),
      data.drawn && chart("deviation_gradient", data.deviation_gradient, data.colours.gradient),
      element(
        "div",
        {},
        table(moved),
        element("p", { text: fill(words.rate, { rate: short(data.learning_rate), images: data.images }) }),
      ),
    ].filter(Boolean);
  }

  #draw() {
    const { data } = this,
      small = [this.image, ...this.nodes].map((node) => node.querySelector("canvas"));
    pixels(small[0], data.x, data, 0);
    bars(small[1], data.mean, data.colours.encoder, data.drawn ? data.deviation : data.deviation.map(() => 0));
    plane(small[2], data, true);
    pixels(small[3], data.decoded_mean, data, 0);
    losses(small[4], data, true);
    bars(small[5], data.mean_gradient, data.colours.gradient);
    for (const canvas of this.panel.querySelectorAll("canvas")) canvas.draw();
  }
}

function figure(words, kind, draw, says = words) {
  const canvas = element("canvas", { class: kind, role: "img", "aria-label": says });
  canvas.draw = () => draw(canvas);
  return element("figure", { class: kind }, canvas, element("figcaption", { text: words }));
}

function pixels(canvas, values, { width, height, sigma_colours }, top) {
  [canvas.width, canvas.height] = [width, height];
  const picture = canvas.getContext("2d"),
    image = picture.createImageData(width, height);
  values.forEach((v, i) => {
    const at = 3 * Math.min(255, Math.max(0, Math.round((255 * v) / (top || 1)))),
      grey = at / 3;
    image.data.set(top ? [...sigma_colours.slice(at, at + 3), 255] : [grey, grey, grey, 255], 4 * i);
  });
  picture.putImageData(image, 0, 0);
}

// The plane of two coordinates: the prior, q(z|x), and the draw that led from its mean to z.
function plane(canvas, { axes, mean, deviation, drawn, z, names, colours }, small = false) {
  const { pen, width, height, ink } = sharp(canvas),
    [a, b] = axes,
    line = a === b,
    of = (v) => [v[a], line ? 0 : v[b]];
  const centre = of(mean),
    spread = of(deviation),
    size = Math.min(width, height) / 2;
  const reach =
    1.1 * Math.max(2.2, ...z.flatMap(of).map(Math.abs), ...centre.map((v, i) => Math.abs(v) + 2 * spread[i]));
  const [x, y] = [(v) => width / 2 + (v / reach) * size, (v) => height / 2 - (v / reach) * size];
  const oval = (at, radii, colour, alpha) => {
    pen.globalAlpha = alpha;
    pen.strokeStyle = colour;
    pen.lineWidth = small ? 1 : 1.5;
    pen.beginPath();
    pen.ellipse(
      x(at[0]),
      y(at[1]),
      Math.max((radii[0] / reach) * size, 0.5),
      Math.max((radii[1] / reach) * size, 0.5),
      0,
      0,
      7,
    );
    pen.stroke();
    pen.globalAlpha = 1;
  };
  for (const r of [1, 2]) oval([0, 0], [r, r], colours.prior, 0.8);
  if (drawn)
    for (const r of [1, 2])
      oval(
        centre,
        spread.map((v) => r * v),
        colours.encoder,
        1,
      );
  pen.fillStyle = colours.encoder;
  pen.fillRect(x(centre[0]) - 2, y(centre[1]) - 2, 4, 4);
  pen.strokeStyle = pen.fillStyle = ink;
  z.slice()
    .reverse()
    .forEach((draw, i) => {
      const [right, up] = of(draw),
        now = i === z.length - 1;
      pen.globalAlpha = now ? 1 : 0.4;
      if (drawn && now) {
        pen.lineWidth = small ? 1 : 2;
        pen.beginPath();
        pen.moveTo(x(centre[0]), y(centre[1]));
        pen.lineTo(x(right), y(up));
        pen.stroke();
      }
      pen.beginPath();
      pen.arc(x(right), y(up), small ? 2.5 : 4.5, 0, 7);
      pen.fill();
    });
  pen.globalAlpha = 1;
  if (small) return;
  pen.textAlign = "center";
  pen.fillText(names[a], width / 2, height - 6);
  if (!line) pen.fillText(names[b], 12, height / 2);
  pen.textAlign = "left";
  pen.fillText("z", x(of(z[0])[0]) + 8, y(of(z[0])[1]) - 6);
  pen.fillStyle = colours.encoder;
  pen.textAlign = "right";
  pen.fillText("μ", x(centre[0]) - 7, y(centre[1]) + 10);
}

// Reconstruction, KL and their sum, each a bar from 0.
function losses(canvas, { losses: values, colours, words }, small = false) {
  const { pen, width, height, ink } = sharp(canvas),
    shades = [colours.reconstruction, colours.kl, colours.elbo];
  const low = Math.min(0, ...values),
    high = Math.max(0, ...values),
    room = small ? 2 : 14;
  const x = (v) => room + ((v - low) / (high - low || 1)) * (width - 2 * room),
    tall = height / 3;
  values.forEach((v, i) => {
    pen.fillStyle = shades[i];
    const [from, to] = [Math.min(x(0), x(v)), Math.max(x(0), x(v))],
      top = i * tall + (small ? 3 : 20);
    pen.fillRect(from, top, Math.max(to - from, 2), tall - (small ? 6 : 26));
    pen.fillStyle = ink;
    if (!small) pen.fillText(`${words[["reconstruction", "kl", "loss"][i]]}  ${nats(v)}`, room, i * tall + 14);
  });
  pen.globalAlpha = 0.5;
  pen.fillRect(x(0), 0, 1, height);
  pen.globalAlpha = 1;
}
