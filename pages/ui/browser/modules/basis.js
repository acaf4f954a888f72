// A plane in latent space: through `mean` (J), along two `directions` (2 * J).

/** @import { Vector } from "./net.js" */

export class Basis {
  /** @param {{ mean: number[], directions: number[] }} given */
  constructor({ mean, directions }) {
    this.mean = mean;
    this.directions = directions;
  }

  /**
   * The coordinates of a latent on the plane.
   * @param {Vector} z
   * @returns {[number, number]}
   */
  project(z) {
    const { directions, mean } = this;
    const J = mean.length;
    let a = 0;
    let b = 0;
    for (let j = 0; j < J; j++) {
      a += (z[j] - mean[j]) * directions[j];
      b += (z[j] - mean[j]) * directions[J + j];
    }
    return [a, b];
  }

  /**
   * The latent at a point of the plane through z.
   * @param {number} a
   * @param {number} b
   * @param {Vector} z
   */
  lift(a, b, z) {
    const { directions, mean } = this;
    const J = mean.length;
    const [a0, b0] = this.project(z);
    return Float32Array.from(z, (v, j) => v + (a - a0) * directions[j] + (b - b0) * directions[J + j]);
  }

  /**
   * Covariance on the plane of a normal distribution with standard deviations (J): [var a, cov, var b].
   * @param {Vector} deviation
   * @returns {[number, number, number]}
   */
  spread(deviation) {
    const { directions } = this;
    const J = deviation.length;
    let aa = 0;
    let ab = 0;
    let bb = 0;
    for (let j = 0; j < J; j++) {
      const v = deviation[j] ** 2;
      aa += v * directions[j] ** 2;
      ab += v * directions[j] * directions[J + j];
      bb += v * directions[J + j] ** 2;
    }
    return [aa, ab, bb];
  }
}
