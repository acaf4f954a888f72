// The axes of the race: logarithmic horizontally; vertically linear, or magnified near a level.

import { svg } from "./svg.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [62, 16, 12, 42]; // pixels around the plot
const BELOW = [0, 1, 3, 10, 30, 100, 300, 1000, 3000]; // ticks, in nats below the level

export class Scale {
  /**
   * @param {number} width
   * @param {number} height
   * @param {number[]} across - minimum and maximum cost
   * @param {number[]} ends - minimum and maximum, nats
   * @param {number | null} level - from which distances are shown, linear up to about 1 nat and logarithmic beyond
   */
  constructor(width, height, across, ends, level) {
    this.plot = { x: LEFT, y: TOP, width: width - LEFT - RIGHT, height: height - TOP - BOTTOM };
    this.sides = [LEFT, width - RIGHT];
    this.decades = across.map(Math.log10);
    this.level = level;
    const room = 0.05 * (this.bent(ends[1]) - this.bent(ends[0]));
    this.ends = [this.bent(ends[0]), this.bent(ends[1]) + room];
  }

  /** @param {number} nats */
  bent(nats) {
    return this.level === null ? nats : -Math.asinh(this.level - nats);
  }

  /** @param {number} cost */
  x(cost) {
    const [low, high] = this.decades;
    return this.plot.x + ((Math.log10(cost) - low) / (high - low)) * this.plot.width;
  }

  /** @param {number} nats */
  y(nats) {
    const [low, high] = this.ends;
    return this.plot.y + ((high - this.bent(nats)) / (high - low)) * this.plot.height;
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
  for (const [value, says] of ticks(scale)) {
    const at = scale.y(value);
    grid.append(
      svg("line", { x1: x, x2: x + width, y1: at, y2: at, class: "grid" }),
      svg("text", { x: x - 8, y: at + 4, class: "tick left" }, says.toLocaleString("en").replace("-", "−")),
    );
  }
  const middle = y + height / 2;
  grid.append(
    svg("text", { x: x + width / 2, y: bottom + 36, class: "title" }, words.across),
    svg("text", { x: 14, y: middle, class: "title", transform: `rotate(-90 14 ${middle})` }, words.up),
  );
  return grid;
}

// The ticks of the vertical axis, and the number shown at each.
/**
 * @param {Scale} scale
 * @returns {number[][]}
 */
function ticks({ ends: [low, high], level }) {
  if (level !== null) return BELOW.filter((nats) => -Math.asinh(nats) >= low).map((nats) => [level - nats, nats]);
  const step = pleasant((high - low) / 5);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => [
    (first + i) * step,
    (first + i) * step,
  ]);
}

/** @param {number} power */
const tenTo = (power) => `10${[...`${power}`].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[+digit]).join("")}`;

// The smallest of 1, 2 and 5 times a power of ten that is at least as large.
/** @param {number} rough */
function pleasant(rough) {
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-9)));
  return Math.max(([1, 2, 5].find((m) => m * power >= rough) ?? 10) * power, 1);
}
