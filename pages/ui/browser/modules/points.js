// The points on a plane, and their class names.

import { clip, rgb } from "./dom.js";
import { boxAround, layOut } from "./labels.js";

const LONGEST = 16; // characters of a name
const MOST = 0.12; // share of the plane that names may cover
const CLEAR = 16; // px around the selected position that names leave free

const shortened = (word) =>
  word.name.length > LONGEST ? { ...word, name: `${word.name.slice(0, LONGEST - 1).trimEnd()}…` } : word;

// Points are stamped into pixels: ten thousand take about a millisecond.
export function drawPoints(plane, context) {
  const { width, height } = context.canvas;
  const image = context.createImageData(width, height);
  const out = image.data;
  const zoomed = Math.min(Math.log2(Math.max(plane.view.scale / plane.first, 1)) / 3, 2);
  const radius = (Math.min(plane.width / 300, 1.6) + 0.5 + zoomed) * plane.ratio;
  const reach = Math.ceil(radius);
  const opacity = { none: 0.75, manifold: 0.5, density: 0.2 }[plane.kind];
  const stamp = [];
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const cover = Math.min(Math.max(radius + 0.5 - Math.hypot(dx, dy), 0), 1) * opacity;
      if (cover > 0.01) stamp.push([dx + dy * width, cover]);
    }
  }
  const offsets = Int32Array.from(stamp, (s) => 4 * s[0]);
  const covers = Float32Array.from(stamp, (s) => s[1]);
  const { labels, colours } = plane.model;
  const inks = colours.map(rgb);
  const { x, y, scale } = plane.view;
  const k = scale * plane.ratio;
  const left = width / 2 - x * k;
  const top = height / 2 + y * k;
  for (let n = 0; n < plane.across.length; n++) {
    const px = Math.round(left + plane.across[n] * k);
    const py = Math.round(top - plane.up[n] * k);
    if (px < reach || py < reach || px >= width - reach || py >= height - reach) continue;
    if (plane.hidden.has(labels[n])) continue;
    const ink = inks[labels[n] % inks.length];
    const at = 4 * (py * width + px);
    for (let s = 0; s < offsets.length; s++) {
      const i = at + offsets[s];
      const a = covers[s];
      const old = (out[i + 3] / 255) * (1 - a);
      const whole = a + old;
      for (let c = 0; c < 3; c++) out[i + c] = (ink[c] * a + out[i + c] * old) / whole;
      out[i + 3] = 255 * whole;
    }
  }
  context.putImageData(image, 0, 0);
  drawNames(plane, context);
}

// Draws each class name on a label in the colour of its class; a line connects a label that had to move to its position.
function drawNames(plane, context) {
  const many = plane.names.length > 12;
  const size = clip(plane.width / 45, 12, many ? 13 : 19);
  context.font = `bold ${size}px sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const words = plane.names.flatMap((word) => (word && !plane.hidden.has(word.label) ? [shortened(word)] : []));
  const tall = 0.72 * size; // half of a label
  const found = words.map((word) => {
    const [x, y] = plane.screen(word.a, word.b);
    return { x, y, tall, wide: Math.max(context.measureText(word.name).width / 2 + 0.3 * size, tall) };
  });
  if (found.reduce((sum, { wide }) => sum + 4 * wide * tall, 0) > plane.width * plane.height * MOST) return; // too many
  const kept = plane.kept ? [boxAround(plane.screen(...plane.kept), CLEAR, CLEAR)] : [];
  const places = layOut(found, plane.width, plane.height, kept);
  plane.labels = places.map((place, i) => place && boxAround(place, found[i].wide, found[i].tall));
  const inks = words.map(({ label }) => plane.model.colours[label % plane.model.colours.length]);
  places.forEach((place, i) => {
    if (!place || Math.hypot(place[0] - found[i].x, place[1] - found[i].y) < 1) return;
    for (const [stroke, width] of [
      [plane.paper, 5],
      [plane.ink, 1.5],
    ]) {
      context.strokeStyle = stroke;
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(found[i].x, found[i].y);
      context.lineTo(...place);
      context.stroke();
    }
    context.fillStyle = plane.ink;
    context.beginPath();
    context.arc(found[i].x, found[i].y, 3, 0, 2 * Math.PI);
    context.fill();
  });
  places.forEach((place, i) => {
    if (!place) return;
    const { wide } = found[i];
    context.fillStyle = plane.paper;
    context.strokeStyle = inks[i];
    context.lineWidth = 2;
    context.beginPath();
    context.roundRect(place[0] - wide, place[1] - tall, 2 * wide, 2 * tall, tall / 2);
    context.fill();
    context.stroke();
    context.fillStyle = plane.ink;
    context.fillText(words[i].name, place[0], place[1] + size / 14);
  });
}
