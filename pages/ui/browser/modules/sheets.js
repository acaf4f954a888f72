// Backgrounds of a plane; each is a generator that pauses after every small step.

import { brush, paint, rgb } from "./dom.js";

// Decoded means on a grid over the view, from the centre outwards.
export function* manifoldSheet(plane) {
  const { model, view } = plane;
  if (plane.given) return void (plane.sheet = plane.given);
  if (!model.decode) return;
  const least = Math.max(model.width, model.height) > 32 ? 56 : 26; // fewer large images, since each takes longer
  const cell = Math.max(least, Math.sqrt((plane.width * plane.height) / 600));
  const step = cell / view.scale;
  const [left, top] = plane.place(0, 0);
  const [right, bottom] = plane.place(plane.width, plane.height);
  const [i0, i1, j0, j1] = [left, right, bottom, top].map((v) => Math.floor(v / step));
  const canvas = document.createElement("canvas");
  const { width: W, height: H } = model;
  canvas.width = (i1 - i0 + 1) * W;
  canvas.height = (j1 - j0 + 1) * H;
  const context = brush(canvas);
  const tile = context.createImageData(W, H);
  const cells = [];
  if (plane.sheet) {
    // the previous content stays until it is painted over
    const old = plane.sheet;
    const k = W / step;
    context.imageSmoothingEnabled = false;
    context.drawImage(old.canvas, (old.a - i0 * step) * k, ((j1 + 1) * step - old.b) * k, old.wide * k, old.high * k);
  }
  plane.sheet = { canvas, a: i0 * step, b: (j1 + 1) * step, wide: (i1 - i0 + 1) * step, high: (j1 - j0 + 1) * step };
  for (let i = i0; i <= i1; i++) for (let j = j0; j <= j1; j++) cells.push([i, j]);
  cells.sort(
    (p, q) =>
      Math.hypot(p[0] + 0.5 - view.x / step, p[1] + 0.5 - view.y / step) -
      Math.hypot(q[0] + 0.5 - view.x / step, q[1] + 0.5 - view.y / step),
  );
  for (const [i, j] of cells) {
    paint(tile.data, model.decode(plane.lift((i + 0.5) * step, (j + 0.5) * step, plane.through)).mean);
    context.putImageData(tile, (i - i0) * W, (j1 - j) * H);
    yield;
  }
}

// The aggregate posterior, the mean of all q(z|x), over the view: each Gaussian is added where it is not negligible.
export function* densitySheet(plane) {
  const { model, view } = plane;
  const cell = 4 / view.scale;
  const columns = Math.ceil(plane.width / 4);
  const rows = Math.ceil(plane.height / 4);
  const [left, top] = plane.place(0, 0);
  const sum = new Float32Array(columns * rows);
  for (let n = 0; n < model.count; n++) {
    let [aa, ab, bb] = plane.spread(plane.deviationOf(n));
    aa += (cell / 2) ** 2; // so that none falls between cells
    bb += (cell / 2) ** 2;
    const det = aa * bb - ab * ab;
    const scale = 1 / Math.sqrt(det);
    const wide = 3.5 * Math.sqrt(aa);
    const high = 3.5 * Math.sqrt(bb);
    const a = plane.across[n] - left;
    const b = top - plane.up[n];
    const i1 = Math.min(columns - 1, Math.floor((a + wide) / cell));
    const j1 = Math.min(rows - 1, Math.floor((b + high) / cell));
    for (let j = Math.max(0, Math.floor((b - high) / cell)); j <= j1; j++) {
      const db = b - (j + 0.5) * cell;
      for (let i = Math.max(0, Math.floor((a - wide) / cell)); i <= i1; i++) {
        const da = (i + 0.5) * cell - a;
        sum[j * columns + i] += scale * Math.exp((-0.5 * (bb * da * da - 2 * ab * da * db + aa * db * db)) / det);
      }
    }
    if (n % 64 === 0) yield;
  }
  const most = sum.reduce((x, y) => Math.max(x, y), 1e-30);
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  const context = brush(canvas);
  const image = context.createImageData(columns, rows);
  const [r, g, b] = rgb(plane.aggregate);
  for (let i = 0; i < sum.length; i++) image.data.set([r, g, b, 255 * 0.85 * (sum[i] / most) ** 0.35], 4 * i);
  context.putImageData(image, 0, 0);
  plane.sheet = { canvas, a: left, b: top, wide: columns * cell, high: rows * cell, smooth: true };
}

// A plane decoded on the server, with all tiles in one image: levels from 0 to 255.
export function givenSheet({ width: W, height: H }, { side, low, high }, levels) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [side * W, side * H];
  const context = brush(canvas);
  const image = context.createImageData(canvas.width, canvas.height);
  paint(
    image.data,
    Float32Array.from(levels, (level) => level / 255),
  );
  context.putImageData(image, 0, 0);
  return { canvas, a: low[0], b: high[1], wide: high[0] - low[0], high: high[1] - low[1] };
}
