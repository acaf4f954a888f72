// Class probabilities on a lattice of a plane; between its points, log p(y|z) is interpolated linearly.

import { clip } from "./dom.js";

/** @typedef {{ low: number[], step: number, width: number, height: number, classes: number }} Grid */

export class Lattice {
  /**
   * @param {Grid} grid - centre of the first cell, cell size, and number of cells; height 1 is a line, constant in b
   * @param {Float32Array} values - log p(y|z), by class, then by row from the bottom
   */
  constructor(grid, values) {
    const count = grid.width * grid.height;
    const { classes } = grid;
    this.grid = grid;
    this.values = new Float32Array(values.length); // point by point, so that all classes of a point are contiguous
    for (let k = 0; k < classes; k++) {
      for (let i = 0; i < count; i++) this.values[i * classes + k] = values[k * count + i];
    }
    this.scores = new Float32Array(classes);
    this.shares = new Float32Array(classes);
  }

  /**
   * The lattice points around a point and their weights; null outside.
   * @param {number} a
   * @param {number} b
   */
  corners(a, b) {
    const { low, step, width, height } = this.grid;
    const x = (a - low[0]) / step;
    const y = height > 1 ? (b - low[1]) / step : 0;
    if (x < -0.5 || y < -0.5 || x > width - 0.5 || y > height - 0.5) return null;
    const i = clip(Math.floor(x), 0, Math.max(width - 2, 0));
    const j = clip(Math.floor(y), 0, Math.max(height - 2, 0));
    const u = clip(x - i, 0, 1);
    const v = clip(y - j, 0, 1);
    const up = height > 1 ? width : 0;
    return { at: j * width + i, right: width > 1 ? 1 : 0, up, u, v };
  }

  /**
   * Interpolates a quantity between the points of the lattice.
   * @param {ArrayLike<number>} values
   * @param {{ at: number, right: number, up: number, u: number, v: number }} corners
   */
  between(values, { at, right, up, u, v }) {
    const below = values[at] + u * (values[at + right] - values[at]);
    const above = values[at + up] + u * (values[at + up + right] - values[at + up]);
    return below + v * (above - below);
  }

  /**
   * log p(y|z) up to a constant, in an array that is reused.
   * @param {{ at: number, right: number, up: number, u: number, v: number }} corners
   */
  score({ at, right, up, u, v }) {
    const { scores, values } = this;
    const classes = scores.length;
    const a = at * classes;
    const b = a + right * classes;
    const c = a + up * classes;
    const d = c + right * classes;
    const [wa, wb, wc, wd] = [(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v];
    for (let k = 0; k < classes; k++) {
      scores[k] = wa * values[a + k] + wb * values[b + k] + wc * values[c + k] + wd * values[d + k];
    }
    return scores;
  }

  /**
   * p(y|z) at a point of the plane, in an array that is reused; null outside.
   * @param {number} a
   * @param {number} b
   */
  at(a, b) {
    const corners = this.corners(a, b);
    if (!corners) return null;
    const { shares } = this;
    const scores = this.score(corners);
    let sum = 0;
    for (let k = 0; k < shares.length; k++) sum += shares[k] = Math.exp(scores[k]);
    for (let k = 0; k < shares.length; k++) shares[k] /= sum;
    return shares;
  }
}

/**
 * The index of the largest probability.
 * @param {ArrayLike<number>} shares
 */
export function likeliest(shares) {
  let best = 0;
  for (let k = 1; k < shares.length; k++) if (shares[k] > shares[best]) best = k;
  return best;
}
