import { brush, sayNumber } from "./dom.js";

// A histogram of the ELBOs of test images, with the ELBO of the drawing as a line.
export function drawRank(canvas, elbos, elbo, colour, nats) {
  const box = canvas.getBoundingClientRect();
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  if (!box.width) return;
  [canvas.width, canvas.height] = [box.width * ratio, box.height * ratio];
  const context = brush(canvas);
  const ink = getComputedStyle(canvas).getPropertyValue("--st-text-color") || "#333333";
  context.scale(ratio, ratio);
  const high = elbos[elbos.length - 1];
  const middle = elbos[elbos.length >> 1];
  const low = Math.min(elbos[Math.floor(elbos.length * 0.02)], Math.max(elbo, middle - 4 * (high - middle)));
  const wide = high - low + 1e-6;
  const bins = 40;
  const counts = new Array(bins).fill(0);
  elbos.forEach((v) => v >= low && (counts[Math.min(bins - 1, Math.floor(((v - low) / wide) * bins))] += 1));
  const most = Math.max(...counts);
  const base = box.height - 18;
  const x = (v) => 4 + ((v - low) / wide) * (box.width - 8);
  context.fillStyle = colour;
  context.globalAlpha = 0.6;
  counts.forEach((c, i) =>
    context.fillRect(
      x(low + (i * wide) / bins),
      base - (c / most) * (base - 8),
      (box.width - 8) / bins - 1,
      (c / most) * (base - 8),
    ),
  );
  context.globalAlpha = 1;
  context.fillStyle = context.strokeStyle = ink;
  context.font = "11px sans-serif";
  context.textAlign = "left";
  context.fillText(`${sayNumber(low, 0)}`, 2, box.height - 4);
  context.textAlign = "right";
  context.fillText(`${sayNumber(high, 0)} ${nats}`, box.width - 2, box.height - 4);
  const place = Math.min(Math.max(x(elbo), 3), box.width - 3);
  context.lineWidth = 3;
  context.beginPath();
  context.moveTo(place, 2);
  context.lineTo(place, base);
  context.stroke();
}
