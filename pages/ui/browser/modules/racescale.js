// The axes of the race: a logarithmic one across and a linear one up.

import { svg } from "./svg.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [62, 16, 12, 42]; // pixels around the plot

export class Scale {
  /**
   * @param {number} width
   * @param {number} height
   * @param {number[]} across - least and most cost
   * @param {number[]} ends - least and most nats
   */
  constructor(width, height, across, ends) {
    this.plot = { x: LEFT, y: TOP, width: width - LEFT - RIGHT, height: height - TOP - BOTTOM };
    this.sides = [LEFT, width - RIGHT];
    this.decades = across.map(Math.log10);
    const room = 0.05 * (ends[1] - ends[0]);
    this.ends = [ends[0], ends[1] + room];
  }

  /** @param {number} cost */
  x(cost) {
    const [low, high] = this.decades;
    return this.plot.x + ((Math.log10(cost) - low) / (high - low)) * this.plot.width;
  }

  /** @param {number} nats */
  y(nats) {
    const [low, high] = this.ends;
    return this.plot.y + ((high - nats) / (high - low)) * this.plot.height;
  }

  /** @param {number} cost */
  say(cost) {
    return cost < 1 ? cost.toPrecision(1) : Math.round(cost).toLocaleString("en");
  }
}

/**
 * @param {Scale} scale
 * @param {{ across: string, up: string }} words
 */
export function drawGrid(scale, words) {
  const grid = svg("g", { "aria-hidden": "true" });
  const { x, y, width, height } = scale.plot;
  const bottom = y + height;
  for (let power = Math.ceil(scale.decades[0] - 1e-9); power <= scale.decades[1] + 1e-9; power++) {
    const at = scale.x(10 ** power);
    grid.append(
      svg("line", { x1: at, x2: at, y1: y, y2: bottom, class: "grid" }),
      svg("text", { x: at, y: bottom + 16, class: "tick" }, power < 4 ? scale.say(10 ** power) : tenTo(power)),
    );
  }
  const [low, high] = scale.ends;
  const step = pleasant((high - low) / 5);
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
    const at = scale.y(value);
    const says = Math.round(value).toLocaleString("en").replace("-", "−");
    grid.append(
      svg("line", { x1: x, x2: x + width, y1: at, y2: at, class: "grid" }),
      svg("text", { x: x - 8, y: at + 4, class: "tick left" }, says),
    );
  }
  const middle = y + height / 2;
  grid.append(
    svg("text", { x: x + width / 2, y: bottom + 36, class: "title" }, words.across),
    svg("text", { x: 14, y: middle, class: "title", transform: `rotate(-90 14 ${middle})` }, words.up),
  );
  return grid;
}

/** @param {number} power */
const tenTo = (power) => `10${[...`${power}`].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[+digit]).join("")}`;

// The least of 1, 2 and 5 times a power of ten that is as large.
/** @param {number} rough */
function pleasant(rough) {
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-9)));
  return Math.max(([1, 2, 5].find((m) => m * power >= rough) ?? 10) * power, 1);
}
