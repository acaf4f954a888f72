// Two draggable normal distributions, and the integrand of the KL divergence between them.

import { clip, sayNumber } from "./dom.js";
import { Knob, line, svg } from "./svg.js";

const LOW = -4;
const HIGH = 4;
const LEAST = 0.2;
const MOST = 2.5;
export const NORMALS = { q: [-0.8, 0.6], p: [0.7, 1.1] };

const logNormal = (x, [mean, deviation]) =>
  -0.5 * (((x - mean) / deviation) ** 2 + Math.log(2 * Math.PI)) - Math.log(deviation);
const normalKL = ([m, s], [n, t]) => Math.log(t / s) + (s * s + (m - n) ** 2) / (2 * t * t) - 0.5;

export function normalKnobs(board) {
  const { colours } = board.data;
  const knob = (name, which, at) =>
    new Knob(board.canvas, board.data.words[at].replace("{name}", name), colours[name], {
      move: (px) => {
        const x = LOW + (px / board.width) * (HIGH - LOW);
        const pair = board.state.normal[name];
        if (which) pair[1] = clip(Math.abs(x - pair[0]), LEAST, MOST);
        else pair[0] = clip(x, LOW + 1, HIGH - 1);
        board.draw();
      },
      step: (dx, dy) => {
        const pair = board.state.normal[name];
        pair[which] = which ? clip(pair[1] + dx + dy, LEAST, MOST) : clip(pair[0] + dx + dy, LOW + 1, HIGH - 1);
        board.draw();
      },
    });
  return ["p", "q"].flatMap((name) => [knob(name, 0, "mean"), knob(name, 1, "deviation")]);
}

export function drawNormals(board) {
  const { state, width, ground, back } = board;
  const { words, colours } = board.data;
  const { p, q } = state.normal;
  const steps = 320;
  const xs = Array.from({ length: steps + 1 }, (_, i) => LOW + ((HIGH - LOW) * i) / steps);
  const across = (x) => ((x - LOW) / (HIGH - LOW)) * width;
  board.top = 1.15 / (Math.sqrt(2 * Math.PI) * Math.min(p[1], q[1]));
  const up = (v) => ground - (v / board.top) * (ground - 12);
  const one = state.normal[state.first];
  const other = state.normal[board.other];
  const terms = xs.map((x) => Math.exp(logNormal(x, one)) * (logNormal(x, one) - logNormal(x, other)));
  const most = Math.max(0.05, ...terms);
  const least = Math.min(-0.05, ...terms);
  const { zero, unit } = board.lower(most, least);
  back.replaceChildren();
  for (const [name, pair] of [
    ["p", p],
    ["q", q],
  ]) {
    const curve = xs.map((x) => [across(x), up(Math.exp(logNormal(x, pair)))]);
    back.append(
      svg("path", { d: `${line(curve)}L${width} ${ground}L0 ${ground}Z`, fill: colours[name], "fill-opacity": 0.12 }),
      svg("path", { d: line(curve), stroke: colours[name], "stroke-width": 2.5, fill: "none" }),
    );
    const side = pair[0] <= (name === "p" ? q : p)[0] ? -1 : 1;
    const at = clip(across(pair[0] + side * 1.6 * pair[1]), 14, width - 14);
    back.append(
      svg(
        "text",
        {
          x: at,
          y: up(Math.exp(logNormal(pair[0] + 1.6 * pair[1], pair))) - 10,
          style: `fill: ${colours[name]}`,
          class: "name",
        },
        name,
      ),
    );
  }
  const lower = (keep) => {
    const top = xs.map((x, i) => `L${across(x).toFixed(2)} ${(zero - unit * keep(terms[i])).toFixed(2)}`);
    return `M0 ${zero}${top.join("")}L${width} ${zero}Z`;
  };
  back.append(
    svg("line", { x1: 0, x2: width, y1: ground, y2: ground, class: "axis" }),
    svg("path", { d: lower((v) => Math.max(v, 0)), fill: colours.kl, "fill-opacity": 0.75 }),
    svg("path", { d: lower((v) => Math.min(v, 0)), fill: colours.kl, "fill-opacity": 0.3 }),
    svg("line", { x1: 0, x2: width, y1: zero, y2: zero, class: "axis" }),
    svg(
      "text",
      { x: 4, y: ground + 18 },
      words.integrand.replaceAll("{a}", state.first).replaceAll("{b}", board.other),
    ),
  );
  for (let x = LOW + 1; x < HIGH; x++) {
    back.append(svg("text", { x: across(x), y: board.height - 2, class: "tick" }, sayNumber(x, 0)));
  }
  ["p", "q"].forEach((name, k) => {
    const [mean, deviation] = state.normal[name];
    const peak = Math.exp(logNormal(mean, [mean, deviation]));
    const says = `${name}: ${words.mean_short} ${sayNumber(mean)}, σ ${sayNumber(deviation)}`;
    board.knobs[2 * k].at(across(mean), up(peak), mean, LOW + 1, HIGH - 1, says);
    const right = mean + deviation < HIGH ? 1 : -1;
    board.knobs[2 * k + 1].at(
      across(mean + right * deviation),
      up(peak * Math.exp(-0.5)),
      deviation,
      LEAST,
      MOST,
      says,
    );
  });
  board.tell(normalKL(q, p), normalKL(p, q));
}
