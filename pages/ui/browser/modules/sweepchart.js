// L1 from samples as mu is swept along one axis: one curve with fixed noise, another with resampled noise.

import { sayNumber } from "./dom.js";
import { line, svg } from "./svg.js";

// `sweeps` contains pairs of mu and L1, by whether the noise was fixed; mu ranges from low to high.
export function drawSweeps(chart, sweeps, [low, high], { colours, words }) {
  const all = Object.values(sweeps).flat();
  const width = Math.max(chart.parentNode?.clientWidth ?? 0, 120);
  const height = 150;
  chart.setAttribute("width", width);
  chart.setAttribute("height", height);
  chart.replaceChildren();
  const most = Math.max(...all.map((each) => each[1]));
  const least = Math.min(...all.map((each) => each[1]));
  const across = (v) => 6 + ((v - low) / (high - low)) * (width - 12);
  const up = (v) => 14 + ((most - v) / Math.max(most - least, 1e-9)) * (height - 44);
  chart.append(svg("line", { x1: 0, x2: width, y1: height - 18, y2: height - 18, class: "axis" }));
  for (const v of [low, high])
    chart.append(
      svg(
        "text",
        { x: v === low ? 0 : width, y: height - 3, style: `text-anchor: ${v === low ? "start" : "end"}` },
        sayNumber(v),
      ),
    );
  if (!all.length) {
    chart.append(svg("text", { x: width / 2, y: height / 2, style: "text-anchor: middle" }, words.nothing));
    return;
  }
  for (const [held, sweep] of Object.entries(sweeps)) {
    const places = sweep.map(([v, value]) => [across(v), up(value)]);
    const colour = held === "true" ? colours.encoder : colours.score;
    chart.append(
      svg("path", { d: line(places), fill: "none", stroke: colour, "stroke-width": 2 }),
      ...places.map(([x, y]) => svg("circle", { cx: x, cy: y, r: 2.5, fill: colour })),
    );
  }
  chart.append(
    svg("text", { x: 0, y: 11 }, `${sayNumber(most, 0)} ${words.nats}`),
    svg("text", { x: 0, y: height - 24 }, sayNumber(least, 0)),
  );
}
