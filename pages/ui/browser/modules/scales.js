// The background of a plane: a sheet of images, and the axes.

import { sayNumber } from "./dom.js";

export function drawUnder(plane, context) {
  if (plane.sheet) {
    const { canvas, a, b, wide, high, smooth } = plane.sheet;
    const [left, top] = plane.screen(a, b);
    context.imageSmoothingEnabled = smooth;
    context.drawImage(canvas, left, top, wide * plane.view.scale, high * plane.view.scale);
  }
  drawScales(plane, context);
}

// Axes with ticks, and circles at one and two standard deviations of the prior.
function drawScales(plane, context) {
  const { scale } = plane.view;
  const [left, top] = plane.place(0, 0);
  const [right, bottom] = plane.place(plane.width, plane.height);
  const rough = 70 / scale;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((m) => m * power >= rough) ?? 10) * power;
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const behind = plane.kind === "manifold";
  context.strokeStyle = context.fillStyle = behind ? "#ffffff" : plane.ink;
  context.font = "11px sans-serif";
  context.lineWidth = 1;
  const line = (alpha, ...path) => {
    context.globalAlpha = alpha;
    context.beginPath();
    context.moveTo(path[0], path[1]);
    context.lineTo(path[2], path[3]);
    context.stroke();
  };
  const label = (text, x, y, align) => {
    context.globalAlpha = 0.8;
    context.textAlign = align;
    if (behind) {
      context.lineWidth = 3;
      context.strokeStyle = "#000000";
      context.strokeText(text, x, y);
      context.lineWidth = 1;
      context.strokeStyle = "#ffffff";
    }
    context.fillText(text, x, y);
  };
  for (let a = Math.ceil(left / step) * step; a < right; a += step) {
    const [x] = plane.screen(a, 0);
    if (!behind) line(Math.abs(a) < step / 2 ? 0.35 : 0.08, x, 0, x, plane.height);
    if (x > 30 && x < plane.width - 16) label(sayNumber(a, digits), x, plane.height - 5, "center");
  }
  if (plane.model.J > 1) {
    for (let b = Math.ceil(bottom / step) * step; b < top; b += step) {
      const [, y] = plane.screen(0, b);
      if (!behind) line(Math.abs(b) < step / 2 ? 0.35 : 0.08, 0, y, plane.width, y);
      if (y > 16 && y < plane.height - 22) label(sayNumber(b, digits), 4, y + 4, "left");
    }
  }
  if (plane.model.J > 1 && plane.model.deviations) {
    const origin = plane.screen(...plane.project(new Float32Array(plane.model.J)));
    context.setLineDash([4, 4]);
    context.globalAlpha = 0.5;
    for (const times of [1, 2]) {
      context.beginPath();
      context.arc(...origin, times * scale, 0, 2 * Math.PI);
      context.stroke();
    }
    context.setLineDash([]);
  }
  context.globalAlpha = 1;
}
