// A function on a plane in colour, filled in from the centre in the rest of each frame.

import { brush, element } from "./dom.js";

const CELLS = 32;
const DEPTH = 25; // cells along a side, and nats shown below the maximum

export class Shades {
  constructor() {
    this.canvas = element("canvas", { width: CELLS, height: CELLS, "aria-hidden": "true" });
    this.values = new Float32Array(CELLS * CELLS).fill(NaN);
    const middle = (CELLS - 1) / 2;
    const off = (i) => Math.hypot((i % CELLS) - middle, Math.floor(i / CELLS) - middle);
    this.order = [...this.values.keys()].sort((a, b) => off(a) - off(b));
    this.done = 0;
  }

  // value(across, up) for coordinates from -1 to 1.
  fill(value, colours) {
    const turn = (this.turn = {});
    const slice = () => {
      if (this.turn !== turn || !this.canvas.isConnected) return;
      const start = performance.now();
      while (this.done < this.order.length && performance.now() - start < 7) {
        const i = this.order[this.done++];
        this.values[i] = value((2 * ((i % CELLS) + 0.5)) / CELLS - 1, 1 - (2 * (Math.floor(i / CELLS) + 0.5)) / CELLS);
      }
      this.#paint(colours);
      if (this.done < this.order.length) requestAnimationFrame(slice);
    };
    slice();
  }

  #paint(colours) {
    const image = new ImageData(CELLS, CELLS);
    let most = -Infinity;
    for (const v of this.values) if (v > most) most = v;
    this.values.forEach((v, i) => {
      if (Number.isNaN(v)) return;
      const at = 3 * Math.round(255 * Math.max(0, 1 + (v - most) / DEPTH));
      image.data.set([colours[at], colours[at + 1], colours[at + 2], 190], 4 * i);
    });
    brush(this.canvas).putImageData(image, 0, 0);
  }
}
