// Two draggable discrete distributions, and the terms of the KL divergence between them.

import { clip, sayNumber } from "./dom.js";
import { Knob, svg } from "./svg.js";

const WEIGHTS = 6;
export const SHARES = { q: [0.05, 0.1, 0.3, 0.35, 0.15, 0.05], p: [0.2, 0.2, 0.2, 0.15, 0.15, 0.1] };

const discreteKL = (a, b) => a.reduce((sum, v, i) => sum + v * Math.log(v / b[i]), 0);

export function shareKnobs(board) {
  const { colours } = board.data;
  const make = (name, i) => {
    const set = (value) => {
      const shares = board.state.discrete[name];
      const rest = 1 - shares[i];
      const now = clip(value, 0.01, 0.9);
      shares.forEach((v, k) => (shares[k] = k === i ? now : Math.max(1e-3, (v * (1 - now)) / rest)));
      const sum = shares.reduce((a, b) => a + b);
      shares.forEach((v, k) => (shares[k] = v / sum));
      board.draw();
    };
    const label = board.data.words.share.replace("{name}", name).replace("{i}", i + 1);
    return new Knob(board.canvas, label, colours[name], {
      move: (_, py) => set(((board.ground - py) / board.ground) * board.top),
      step: (dx, dy) => set(board.state.discrete[name][i] + (dx + dy) / 5),
    });
  };
  return ["p", "q"].flatMap((name) => Array.from({ length: WEIGHTS }, (_, i) => make(name, i)));
}

export function drawShares(board) {
  const { state, width, ground, back } = board;
  const { words, colours } = board.data;
  const { p, q } = state.discrete;
  const room = width / WEIGHTS;
  const bar = Math.min(40, room * 0.36);
  board.top = 1.1 * Math.max(0.3, ...p, ...q);
  const up = (v) => ground - (v / board.top) * (ground - 12);
  const one = state.discrete[state.first];
  const other = state.discrete[board.other];
  const terms = one.map((v, i) => v * Math.log(v / other[i]));
  const { zero, unit } = board.lower(Math.max(0.05, ...terms), Math.min(-0.05, ...terms));
  back.replaceChildren(
    svg("line", { x1: 0, x2: width, y1: ground, y2: ground, class: "axis" }),
    svg("text", { x: 4, y: ground + 18 }, words.terms.replaceAll("{a}", state.first).replaceAll("{b}", board.other)),
  );
  for (let i = 0; i < WEIGHTS; i++) {
    const middle = (i + 0.5) * room;
    [
      ["p", p, -1],
      ["q", q, 1],
    ].forEach(([name, shares, side], k) => {
      const centre = middle + side * (bar / 2 + 1);
      const y = up(shares[i]);
      back.append(
        svg("rect", {
          x: centre - bar / 2,
          y,
          width: bar,
          height: ground - y,
          fill: colours[name],
          "fill-opacity": 0.55,
        }),
      );
      board.knobs[k * WEIGHTS + i].at(centre, y, shares[i], 0.01, 0.9, `${name}: ${sayNumber(shares[i])}`);
    });
    const height = Math.abs(terms[i]) * unit;
    back.append(
      svg("rect", {
        x: middle - bar / 2,
        y: terms[i] > 0 ? zero - height : zero,
        width: bar,
        height,
        fill: colours.kl,
        "fill-opacity": terms[i] > 0 ? 0.75 : 0.3,
      }),
      svg("text", { x: middle, y: board.height - 2, class: "tick" }, String(i + 1)),
    );
  }
  ["p", "q"].forEach((name, k) => {
    back.append(svg("text", { x: 12 + 18 * k, y: 16, style: `fill: ${colours[name]}`, class: "name" }, name));
  });
  back.append(svg("line", { x1: 0, x2: width, y1: zero, y2: zero, class: "axis" }));
  board.tell(discreteKL(q, p), discreteKL(p, q));
}
