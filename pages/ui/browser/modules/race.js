// Estimates of log p(x) against their cost: curves with bands that grow towards a level while a race runs.

import { element, sayNumber } from "./dom.js";
import { drawGrid, Scale } from "./racescale.js";
import { line, svg } from "./svg.js";

const PACE = 1 / 300; // maximum growth of a curve, decades per millisecond
const FOLLOW = 150; // time constant with which the vertical axis follows, milliseconds
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".race");
  root.race ??= new Race(root);
  root.race.told(data);
}

class Race {
  /** @type {any} */
  data;
  /** @type {Scale} */
  scale;
  /** @type {number[]} */
  ends;
  last = 0; // time of the last frame
  waiting = 0; // request of the next frame, or 0

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.reach = new Map(); // the decade up to which each curve is drawn, by name
    this.legend = element("div", { class: "keys" });
    this.canvas = svg("svg", { class: "drag", role: "img" });
    this.says = element("p", { class: "hint" });
    root.replaceChildren(this.legend, this.canvas, this.says);
    new ResizeObserver(() => this.data && this.draw()).observe(root);
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
  }

  told(data) {
    const first = !this.data;
    const anew = this.data?.run !== data.run;
    this.data = data;
    if (anew) this.reach.clear();
    this.ends = first || !data.running ? data.ends : this.ends;
    if (!data.running && (first || anew)) for (const curve of data.curves) this.reach.set(curve.name, Infinity);
    this.canvas.setAttribute("aria-label", data.words.picture);
    this.list();
    this.point(null);
    this.last = performance.now();
    this.next();
  }

  // The legend: each curve, the level, and the mark.
  list() {
    const { curves, level, words } = this.data;
    const key = (name, colour, kind) =>
      element("span", {}, element("i", { class: kind, style: `--ink: ${colour}` }), name);
    this.legend.replaceChildren(
      ...curves.map(({ name, colour }) => key(name, colour, "line")),
      ...(level ? [key(level.name, level.colour, "line dashed"), key(words.mark, "currentColor", "ring")] : []),
    );
  }

  next() {
    this.waiting ||= requestAnimationFrame((now) => {
      this.waiting = 0;
      if (!this.root.isConnected) return;
      const more = this.grow(Math.max(now - this.last, 0));
      this.last = now;
      if (more) this.next();
      this.draw();
    });
  }

  // Advances the curves and the axis by a time in milliseconds; returns whether more remains to be drawn.
  /** @param {number} passed */
  grow(passed) {
    let more = false;
    for (const { name, x } of this.data.curves) {
      const [from, end] = [Math.log10(x[0]), Math.log10(x.at(-1))];
      const grown = (this.reach.get(name) ?? from) + (STILL.matches ? Infinity : passed * PACE);
      this.reach.set(name, Math.min(grown, end));
      more ||= grown < end;
    }
    const share = STILL.matches ? 1 : 1 - Math.exp(-passed / FOLLOW);
    this.ends = this.ends.map((end, i) => {
      const left = this.data.ends[i] - end;
      if (Math.abs(left) < 0.05) return this.data.ends[i];
      more = true;
      return end + share * left;
    });
    return more;
  }

  draw() {
    const { curves, level, words, height, most } = this.data;
    const width = Math.max(this.root.clientWidth, 200);
    const costs = curves.flatMap(({ x }) => x).filter((x) => x > 0);
    const least = Math.min(1, ...costs);
    const across = [least, Math.max(10 * least, most, ...costs)];
    this.scale = new Scale(width, height, across, this.ends, this.data.distance ? level.nats : null);
    this.canvas.setAttribute("width", `${width}`);
    this.canvas.setAttribute("height", `${height}`);
    const clipped = svg("g", { "clip-path": "url(#plot)" });
    const marks = svg("g");
    this.canvas.replaceChildren(
      svg("defs", {}, svg("clipPath", { id: "plot" }, svg("rect", this.scale.plot))),
      drawGrid(this.scale, words),
      clipped,
      marks,
    );
    if (level) {
      const [above, y, bottom] = [1, 0, -1].map((nats) => this.scale.y(level.nats + nats));
      const top = level.bound ? this.scale.plot.y : above;
      const [x1, x2] = this.scale.sides;
      clipped.append(
        svg("rect", { x: x1, width: x2 - x1, y: top, height: bottom - top, class: "near" }),
        svg("line", { x1, x2, y1: y, y2: y, stroke: level.colour, class: "level" }),
      );
    }
    let flags = 0;
    for (const curve of curves) {
      const shown = this.shown(curve);
      clipped.append(...this.band(curve, shown));
      if (curve.arrived !== null && shown.length > curve.arrived) marks.append(...this.mark(curve, flags++));
    }
    this.guide = svg("g");
    this.canvas.append(this.guide);
  }

  // The estimates of a curve drawn so far, with an interpolated last point.
  shown({ name, x, low, middle, high }) {
    const reach = this.reach.get(name) ?? -Infinity;
    const whole = x.map((cost, i) => [Math.log10(cost), low[i], middle[i], high[i]]);
    const drawn = whole.filter(([decade]) => decade <= reach + 1e-9);
    const [from, to] = [drawn.at(-1), whole[drawn.length]];
    if (!from || !to || !(to[0] > from[0])) return drawn;
    const share = (reach - from[0]) / (to[0] - from[0]);
    const between = (value, i) => (value === null || to[i] === null ? null : value + share * (to[i] - value));
    return [...drawn, from.map(between)];
  }

  // A curve and its band, both interrupted where an estimate is not finite.
  band({ colour, x, name }, shown) {
    const place = (at) => (point) => [this.scale.x(10 ** point[0]), this.scale.y(point[at])];
    const bands = runs(shown, [1, 3]).map((run) => [...run.map(place(3)), ...run.map(place(1)).reverse()]);
    const curves = runs(shown, [2]).map((run) => run.map(place(2)));
    const dots = curves.flat().slice(0, x.length);
    const [cx, cy] = curves.at(-1)?.at(-1) ?? [];
    const growing = this.data.running || (this.reach.get(name) ?? 0) < Math.log10(x.at(-1));
    return [
      ...bands.map((each) => svg("path", { d: `${line(each)}Z`, fill: colour, class: "band" })),
      ...curves.map((each) => svg("path", { d: line(each), stroke: colour, class: "curve" })),
      ...dots.map(([dx, dy]) => svg("circle", { cx: dx, cy: dy, r: 2.5, fill: colour })),
      ...(growing && curves.length ? [svg("circle", { cx, cy, r: 6, fill: colour })] : []),
    ];
  }

  // A ring where a curve reaches the level, and below it a flag with the number of samples.
  mark({ colour, x, middle, arrived }, rank) {
    const [cx, cy] = [this.scale.x(x[arrived]), this.scale.y(middle[arrived])];
    const { y, height } = this.scale.plot;
    const at = y + height - 14 - 19 * rank;
    const end = cx > this.scale.sides[1] - 60;
    const words = svg(
      "text",
      { x: cx + (end ? -5 : 5), y: at, class: "flag", fill: colour },
      this.scale.say(x[arrived]),
    );
    if (end) words.setAttribute("text-anchor", "end");
    return [
      svg("line", { x1: cx, x2: cx, y1: cy + 8, y2: at + 4, stroke: colour, class: "pole" }),
      svg("circle", { cx, cy, r: 7, stroke: colour, class: "arrival" }),
      words,
    ];
  }

  // Shows the estimates at the cost under the pointer.
  /** @param {PointerEvent | null} event */
  point(event) {
    const { curves, words } = this.data;
    this.guide?.replaceChildren();
    this.says.textContent = words.hint;
    if (!event || !curves.length) return;
    const px = event.clientX - this.canvas.getBoundingClientRect().left;
    const all = curves.flatMap(({ x }) => x);
    const away = (cost) => Math.abs(this.scale.x(cost) - px);
    const cost = all.reduce((one, other) => (away(other) < away(one) ? other : one));
    const values = curves.flatMap(({ name, colour, x, middle }) => {
      const i = x.findLastIndex((each) => each <= cost * 1.001);
      if (i < 0) return [];
      const says = middle[i] === null ? words.gap : sayNumber(middle[i], 1);
      return [element("span", { title: name }, element("i", { style: `--ink: ${colour}` }), says)];
    });
    const x = this.scale.x(cost);
    const { y, height } = this.scale.plot;
    this.guide?.append(svg("line", { x1: x, x2: x, y1: y, y2: y + height, class: "axis" }));
    this.says.replaceChildren(words.at.replace("{cost}", this.scale.say(cost)), ...values);
  }
}

/**
 * Splits points into runs of consecutive ones that have certain values.
 * @param {(number | null)[][]} points
 * @param {number[]} needed - indices of these values
 */
function runs(points, needed) {
  const found = /** @type {number[][][]} */ ([[]]);
  for (const point of points) {
    if (needed.every((at) => point[at] !== null)) found.at(-1)?.push(/** @type {number[]} */ (point));
    else if (found.at(-1)?.length) found.push([]);
  }
  return found.filter(({ length }) => length);
}
