// Two latent axes on a drawing, centred on a mean; each has its own scale.

const REACH = 5; // from the centre to each side, in standard deviations

export class TwoAxes {
  /** @type {number} */
  width;
  /** @type {number} */
  height;
  /** @type {number[]} */
  scale;

  /**
   * @param {number[]} axes - the horizontal and vertical dimension, equal if there is only one
   * @param {number[]} mean
   * @param {number[]} deviation
   */
  constructor(axes, mean, deviation) {
    this.axes = axes;
    this.mean = mean;
    this.reach = axes.map((j) => REACH * deviation[j]);
    this.resize(100, 100);
  }

  resize(width, height) {
    this.width = width;
    this.height = height;
    this.scale = [width / (2 * this.reach[0]), height / (2 * this.reach[1])];
  }

  /**
   * @param {number} a
   * @param {number} b
   * @returns {[number, number]}
   */
  screen(a, b) {
    const { axes, mean, scale } = this;
    return [this.width / 2 + (a - mean[axes[0]]) * scale[0], this.height / 2 - (b - mean[axes[1]]) * scale[1]];
  }

  /**
   * @param {number} px
   * @param {number} py
   * @returns {[number, number]}
   */
  place(px, py) {
    const { axes, mean, scale } = this;
    return [mean[axes[0]] + (px - this.width / 2) / scale[0], mean[axes[1]] - (py - this.height / 2) / scale[1]];
  }

  // The latent at a point of the drawing, with both coordinates from -1 to 1.
  lift(across, up) {
    const { axes, mean, reach } = this;
    const z = Float32Array.from(mean);
    z[axes[0]] += across * reach[0];
    z[axes[1]] += up * reach[1];
    return z;
  }
}
