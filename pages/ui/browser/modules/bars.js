// Bars for the latent dimensions, one or hundreds.

import { brush } from "./dom.js";

export const short = (v) =>
  (v !== 0 && (Math.abs(v) < 0.001 || Math.abs(v) >= 1e5) ? v.toExponential(1) : v.toPrecision(3)).replace("-", "−");

export function largest(values, names) {
  const order = values
    .map((_, i) => i)
    .sort((i, j) => Math.abs(values[j]) - Math.abs(values[i]))
    .slice(0, 5);
  return order.map((j) => `${names[j]} ${short(values[j])}`).join(", ");
}

// Prepares a canvas at the resolution of the screen; returns its context, size and text colour.
export function sharp(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  [canvas.width, canvas.height] = [Math.max(1, width * ratio), Math.max(1, height * ratio)];
  const pen = brush(canvas);
  const style = getComputedStyle(canvas);
  pen.scale(ratio, ratio);
  pen.font = "12px sans-serif";
  const ink = style.getPropertyValue("--st-text-color") || "#333333";
  pen.fillStyle = pen.strokeStyle = ink;
  return { pen, width, height, ink };
}

// A bar for each dimension, or a dot with whiskers, on an axis up to at least `most`; names and a scale are optional.
export function bars(canvas, values, colour, whiskers = null, names = null, most = 0) {
  const { pen, width, height, ink } = sharp(canvas);
  const count = values.length;
  const spread = (j) => whiskers?.[j] ?? 0;
  const left = names ? 56 : 2;
  const bottom = names ? 18 : 2;
  const across = (width - left - 2) / count;
  if (across <= 0) return; // hidden for now; it is drawn again when it has a size
  let low = 0;
  let high = most;
  values.forEach((v, j) => ([low, high] = [Math.min(low, v - spread(j)), Math.max(high, v + spread(j))]));
  if (high - low < 1e-12) high = low + 1;
  const y = (v) => 6 + ((high - v) / (high - low)) * (height - bottom - 12);
  const thick = Math.max(1, Math.min(across * 0.7, 42));
  pen.globalAlpha = 0.35;
  pen.fillRect(left, y(0), width - left, 1);
  pen.globalAlpha = 1;
  pen.fillStyle = pen.strokeStyle = colour;
  values.forEach((v, j) => {
    const x = left + (j + 0.5) * across;
    if (!whiskers) return pen.fillRect(x - thick / 2, Math.min(y(v), y(0)), thick, Math.max(1, Math.abs(y(v) - y(0))));
    pen.fillRect(x - Math.min(1, thick / 2), y(v + spread(j)), Math.min(2, thick), y(v - spread(j)) - y(v + spread(j)));
    pen.beginPath();
    pen.arc(x, y(v), Math.max(1, Math.min(4, across / 3)), 0, 7);
    pen.fill();
  });
  if (!names) return;
  pen.fillStyle = ink;
  pen.textAlign = "right";
  for (const v of high - low > 0 ? [low, high].filter((v) => v !== 0).concat(0) : [0]) {
    if (v === 0 || Math.abs(y(v) - y(0)) > 14)
      pen.fillText(v ? short(v) : "0", left - 5, Math.min(height - bottom, Math.max(12, y(v) + 4)));
  }
  pen.textAlign = "center";
  const every = Math.ceil(26 / across);
  for (let j = 0; j < count; j += every) pen.fillText(names[j], left + (j + 0.5) * across, height - 4);
}
