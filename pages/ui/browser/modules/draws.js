// Samples z = mu + sigma * eps from a draggable q, with log p(x|z) and gradients with respect to mu by two estimators.

import { logLikelihood } from "./net.js";
import { seeded } from "./seeded.js";
import { decoderOf } from "./store.js";

/** @import { Vector } from "./net.js" */
/** @import { Model } from "./store.js" */

export class Draws {
  /** @type {Float32Array} */
  mean;
  /** @type {Float32Array} */
  deviation;
  /** @type {number[]} */
  values; // log p(x|z) of each sample
  /** @type {number[][]} */
  slopes; // gradients along the first one or two axes
  /** @type {Float32Array[]} */
  noise;

  /**
   * @param {Model} model
   * @param {any} data - the encoder's q, the initial noise, the axes, and the pixels prepared for the likelihood
   */
  constructor(model, data) {
    this.model = model;
    this.data = data;
    this.x = Float32Array.from(data.x);
    this.noise = data.noise.map((eps) => Float32Array.from(eps));
    this.seed = 1;
    this.home();
    this.forget();
  }

  // Back to the encoder's q.
  home() {
    this.mean = Float32Array.from(this.data.mean);
    this.deviation = Float32Array.from(this.data.deviation);
  }

  // Measured values belong to the previous q.
  forget() {
    this.values = [];
    this.slopes = [];
  }

  get z() {
    return this.noise.map((eps) => eps.map((e, j) => this.mean[j] + this.deviation[j] * e));
  }

  // New noise.
  anew() {
    const { normal } = seeded((this.seed += 1));
    this.noise = this.noise.map((eps) => eps.map(() => normal()));
  }

  /**
   * log p(x|z)
   * @param {Vector} z
   */
  value(z) {
    return logLikelihood(this.x, decoderOf(this.model)(z, true), this.model.config);
  }

  get average() {
    return summary(this.z.map((z) => this.value(z))).average;
  }

  // Computes values, and gradients of a kind if requested; pauses after each likelihood.
  /** @param {"none" | "slope" | "score" | "less"} kind */
  *measure(kind) {
    const { axes, deviation } = this.data;
    const count = this.model.J > 1 ? 2 : 1;
    for (const z of this.z) {
      this.values.push(this.value(z));
      yield;
    }
    if (kind === "none") return;
    const { values, noise, z: all } = this;
    const draws = noise.length;
    const total = values.reduce((a, b) => a + b);
    for (let l = 0; l < draws; l++) {
      const z = all[l];
      const slope = [];
      for (let k = 0; k < count; k++) {
        const j = axes[k];
        if (kind === "slope") {
          const step = 0.02 * deviation[j];
          const [low, high] = [-step, step].map((by) => {
            const beside = Float32Array.from(z);
            beside[j] += by;
            return this.value(beside);
          });
          slope.push((high - low) / (2 * step));
          yield;
        } else {
          const less = kind === "less" ? (total - values[l]) / (draws - 1) : 0;
          slope.push(((values[l] - less) * noise[l][j]) / this.deviation[j]);
        }
      }
      this.slopes.push(slope);
    }
  }
}

// Mean of numbers, and its standard error.
/** @param {number[]} values */
export function summary(values) {
  const n = values.length;
  const average = values.reduce((a, b) => a + b) / n;
  const square = values.reduce((sum, v) => sum + (v - average) ** 2, 0) / (n - 1);
  return { average, error: Math.sqrt(square / n) };
}
