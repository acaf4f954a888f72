// What a classifier says on a lattice of a plane: log p(y|z) between its places, linear in the logarithm.

import { clip } from "./dom.js";

/** @typedef {{ low: number[], step: number, width: number, height: number, classes: number }} Grid */

export class Lattice {
  /**
   * @param {Grid} grid - middle of the first cell, cells, and their number; height 1 is a line, the same at every b
   * @param {Float32Array} values - log p(y|z), class by class, row by row from below
   */
  constructor(grid, values) {
    this.grid = grid;
    this.values = values;
    this.shares = new Float32Array(grid.classes);
  }

  /**
   * The corners of a place and how much each counts; null outside.
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
   * A quantity between the places of the lattice.
   * @param {ArrayLike<number>} values
   * @param {{ at: number, right: number, up: number, u: number, v: number }} corners
   * @param {number} [from] - where the values begin
   */
  between(values, { at, right, up, u, v }, from = 0) {
    const k = from + at;
    const below = values[k] + u * (values[k + right] - values[k]);
    const above = values[k + up] + u * (values[k + up + right] - values[k + up]);
    return below + v * (above - below);
  }

  /**
   * p(y|z) at a place of the plane, in an array that is used again; null outside.
   * @param {number} a
   * @param {number} b
   */
  at(a, b) {
    const corners = this.corners(a, b);
    if (!corners) return null;
    const { shares, grid } = this;
    const count = grid.width * grid.height;
    let sum = 0;
    for (let k = 0; k < shares.length; k++) sum += shares[k] = Math.exp(this.between(this.values, corners, k * count));
    for (let k = 0; k < shares.length; k++) shares[k] /= sum;
    return shares;
  }
}

/**
 * The likeliest of some shares.
 * @param {ArrayLike<number>} shares
 */
export function likeliest(shares) {
  let best = 0;
  for (let k = 1; k < shares.length; k++) if (shares[k] > shares[best]) best = k;
  return best;
}
