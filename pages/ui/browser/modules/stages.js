// The large panels of the stages of a training step.

import { bars, largest, short } from "./bars.js";
import { element } from "./dom.js";
import { drawLosses, drawPixels, drawPlane, nats } from "./slowdraw.js";

const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);

// Figures with their own drawing functions, and lines of numbers.
export function stageParts(stage, data) {
  const { words } = data;
  const [a, b] = data.axes;
  const chart = (name, values, colour, whiskers = null) =>
    figure(
      words[name],
      "chart",
      (canvas) => bars(canvas, values, colour, whiskers, data.names),
      `${words[name]}: ${largest(values, data.names)}`,
    );
  const image = (name, values, top = 0) =>
    figure(fill(words[name], { top: short(top) }), "pixels", (canvas) => drawPixels(canvas, values, data, top));
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
      figure(words.plane, "square", (canvas) => drawPlane(canvas, data), draws.map((row) => row.join(" ")).join("; ")),
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
    const sum = ["reconstruction", "kl", "loss"].map((name, i) => `${words[name]} ${nats(data.losses[i])}`).join("; ");
    return [
      figure(words.losses, "chart", (canvas) => drawLosses(canvas, data), sum),
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

/** @type {WeakMap<HTMLCanvasElement, (canvas: HTMLCanvasElement) => void>} */
const DRAWN = new WeakMap();

// Draws the figures of a panel once their size is known, and again when it changes.
export function drawFigures(panel) {
  for (const canvas of panel.querySelectorAll("canvas")) DRAWN.get(canvas)?.(canvas);
}

function figure(words, kind, draw, says = words) {
  const canvas = element("canvas", { class: kind, role: "img", "aria-label": says });
  DRAWN.set(canvas, draw);
  return element("figure", { class: kind }, canvas, element("figcaption", { text: words }));
}
