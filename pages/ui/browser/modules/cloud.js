// q(z|x) on the plane of two latent axes, as ellipses at one and two standard deviations, with samples and gradients.

import { arrow, svg } from "./svg.js";

const LONGEST = 60; // px of the longest arrow of a sample

// Draws q at a point, with sizes in px; with one axis, standard deviations are bands. Arrows are nats along each axis.
export function drawCloud(layer, { at, sizes, tall, one, dots, chosen, choose, arrows, average, colour }) {
  const [x, y] = at;
  const [across, up] = sizes;
  layer.replaceChildren();
  for (const wide of [2, 1]) {
    layer.append(
      one
        ? svg("rect", { x: x - wide * across, width: 2 * wide * across, y: 0, height: tall, class: "ring" })
        : svg("ellipse", { cx: x, cy: y, rx: wide * across, ry: wide * up, class: "ring" }),
    );
  }
  const scale = LONGEST / Math.max(...arrows.map((slope) => Math.hypot(...slope)), 1e-12);
  /** @type {(slope: number[]) => [number, number]} */
  const scaled = (slope) => [scale * slope[0], scale * (slope[1] ?? 0)];
  dots.forEach(([cx, cy], l) => {
    const size = l === chosen ? { r: 7, class: "dot chosen" } : { r: 4.5, class: "dot" };
    const wide = svg("circle", { cx, cy, r: 9, fill: "transparent", style: "cursor: pointer" });
    wide.addEventListener("pointerdown", () => choose(l));
    if (arrows[l]) layer.append(arrow(cx, cy, scaled(arrows[l]), { class: "ray slope" }));
    layer.append(svg("circle", { cx, cy, ...size }), wide);
  });
  if (average) layer.append(arrow(x, y, scaled(average), { class: "ray average", style: `stroke: ${colour}` }));
}
