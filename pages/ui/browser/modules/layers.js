// The layers of a plane: what lies under the points with its scales, the points, and the marks above them.

import { rgb, sayNumber } from "./dom.js";

export function drawUnder(plane, context) {
  if (plane.sheet) {
    const { canvas, a, b, wide, high, smooth } = plane.sheet,
      [left, top] = plane.screen(a, b);
    context.imageSmoothingEnabled = smooth;
    context.drawImage(canvas, left, top, wide * plane.view.scale, high * plane.view.scale);
  }
  drawScales(plane, context);
}

// Axes with ticks, and the prior's circles at one and two deviations.
function drawScales(plane, context) {
  const { scale } = plane.view,
    [left, top] = plane.place(0, 0),
    [right, bottom] = plane.place(plane.width, plane.height);
  const rough = 70 / scale,
    power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((m) => m * power >= rough) * power,
    digits = Math.max(0, -Math.floor(Math.log10(step)));
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

// Points are stamped into pixels: ten thousand take about a millisecond.
export function drawPoints(plane, context) {
  const { width, height } = context.canvas,
    image = context.createImageData(width, height),
    out = image.data;
  const zoomed = Math.min(Math.log2(Math.max(plane.view.scale / plane.first, 1)) / 3, 2);
  const radius = (Math.min(plane.width / 300, 1.6) + 0.5 + zoomed) * plane.ratio,
    reach = Math.ceil(radius);
  const opacity = { none: 0.75, manifold: 0.5, density: 0.2 }[plane.kind],
    stamp = [];
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const cover = Math.min(Math.max(radius + 0.5 - Math.hypot(dx, dy), 0), 1) * opacity;
      if (cover > 0.01) stamp.push([dx + dy * width, cover]);
    }
  }
  const offsets = Int32Array.from(stamp, (s) => 4 * s[0]),
    covers = Float32Array.from(stamp, (s) => s[1]);
  const { labels, colours } = plane.model,
    inks = colours.map(rgb),
    { x, y, scale } = plane.view;
  const k = scale * plane.ratio,
    left = width / 2 - x * k,
    top = height / 2 + y * k;
  for (let n = 0; n < plane.across.length; n++) {
    const px = Math.round(left + plane.across[n] * k),
      py = Math.round(top - plane.up[n] * k);
    if (px < reach || py < reach || px >= width - reach || py >= height - reach) continue;
    if (plane.hidden.has(labels[n])) continue;
    const ink = inks[labels[n] % inks.length],
      at = 4 * (py * width + px);
    for (let s = 0; s < offsets.length; s++) {
      const i = at + offsets[s],
        a = covers[s],
        old = (out[i + 3] / 255) * (1 - a),
        whole = a + old;
      for (let c = 0; c < 3; c++) out[i + c] = (ink[c] * a + out[i + c] * old) / whole;
      out[i + 3] = 255 * whole;
    }
  }
  context.putImageData(image, 0, 0);
  context.font = "bold 15px sans-serif";
  context.textAlign = "center";
  context.lineWidth = 4;
  context.lineJoin = "round";
  const taken = [];
  for (const word of plane.names) {
    if (!word || plane.hidden.has(word.label)) continue;
    const [px, py] = plane.screen(word.a, word.b),
      half = context.measureText(word.name).width / 2 + 2;
    const free = (x, y) => taken.every(([ox, oy, h]) => Math.abs(x - ox) >= h + half || Math.abs(y - oy) >= 17);
    // where names would lie on one another, one moves to the nearest free place
    let place = null;
    for (let ring = 0; ring < 6 && !place; ring++) {
      for (let turn = 0; turn < 8 && !place; turn++) {
        const x = px + ring * 10 * Math.cos((turn * Math.PI) / 4),
          y = py + ring * 10 * Math.sin((turn * Math.PI) / 4);
        if (free(x, y)) place = [x, y];
      }
    }
    if (!place) continue;
    taken.push([...place, half]);
    context.strokeStyle = plane.paper;
    context.strokeText(word.name, place[0], place[1] + 5);
    context.fillStyle = plane.ink;
    context.fillText(word.name, place[0], place[1] + 5);
  }
}

export function drawMarks(plane, context) {
  for (const { a, b, covariance, colour, shape } of plane.marks) {
    const [x, y] = plane.screen(a, b);
    context.lineWidth = 2;
    if (covariance) {
      const [aa, ab, bb] = covariance,
        middle = (aa + bb) / 2,
        off = Math.hypot((aa - bb) / 2, ab);
      const turn = 0.5 * Math.atan2(2 * ab, aa - bb);
      for (const times of [1, 2]) {
        const wide = times * Math.sqrt(middle + off) * plane.view.scale;
        const high = times * Math.sqrt(Math.max(middle - off, 0)) * plane.view.scale;
        for (const [stroke, width] of [
          [plane.paper, 4],
          [colour, 3 - times],
        ]) {
          context.strokeStyle = stroke;
          context.lineWidth = width + 0.5;
          context.beginPath();
          context.ellipse(x, y, wide, high, -turn, 0, 2 * Math.PI);
          context.stroke();
        }
      }
    }
    for (const [stroke, width] of [
      [plane.paper, 5],
      [plane.ink, 2.5],
    ]) {
      context.strokeStyle = stroke;
      context.lineWidth = width;
      context.beginPath();
      if (shape === "ring") context.arc(x, y, 7, 0, 2 * Math.PI);
      if (shape === "cross") {
        for (const [dx, dy] of [
          [1, 0],
          [-1, 0],
          [0, 1],
          [0, -1],
        ]) {
          context.moveTo(x + 4 * dx, y + 4 * dy);
          context.lineTo(x + 11 * dx, y + 11 * dy);
        }
      }
      context.stroke();
    }
  }
}
