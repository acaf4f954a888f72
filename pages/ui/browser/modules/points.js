// The points on a plane, and their class names.

import { rgb } from "./dom.js";

const LONGEST = 16; // characters of a name
const MOST = 0.12; // share of the plane that names may cover

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
  context.font = `bold ${plane.names.length > 12 ? 12 : 15}px sans-serif`;
  context.textAlign = "center";
  context.lineWidth = 4;
  context.lineJoin = "round";
  const taken = [];
  const words = plane.names.flatMap((word) => (word && !plane.hidden.has(word.label) ? [shortened(word)] : []));
  const room = words.reduce((sum, { name }) => sum + context.measureText(name).width * 17, 0);
  if (room > plane.width * plane.height * MOST) return; // they would cover the points
  for (const word of words) {
    const [px, py] = plane.screen(word.a, word.b);
    const half = context.measureText(word.name).width / 2 + 2;
    const free = (x, y) => taken.every(([ox, oy, h]) => Math.abs(x - ox) >= h + half || Math.abs(y - oy) >= 17);
    // where names would overlap, one moves to the nearest free position
    /** @type {number[] | null} */
    let place = null;
    for (let ring = 0; ring < 6 && !place; ring++) {
      for (let turn = 0; turn < 8 && !place; turn++) {
        const x = px + ring * 10 * Math.cos((turn * Math.PI) / 4);
        const y = py + ring * 10 * Math.sin((turn * Math.PI) / 4);
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
