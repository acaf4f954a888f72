// Evaluates a drawing in the browser: encodes, decodes and scores it.

import { logLikelihood } from "./net.js";
import { seeded } from "./seeded.js";
import { decoderOf } from "./store.js";

/** @import { Model } from "./store.js" */

const DRAWS = 8; // z ~ q(z|x) for the ELBO; the same noise each time, so that the value does not fluctuate

export class Judge {
  /** @param {Model} model */
  constructor(model) {
    const { uniform, normal } = seeded(1);
    this.model = model;
    this.grain = Float32Array.from({ length: model.width * model.height }, uniform);
    this.noise = Array.from({ length: DRAWS }, () => Float32Array.from({ length: model.J }, normal));
  }

  // Returns q(z|x) of pixels in [0, 255], the mean of p(x|z) at its mean, the ELBO (null for an autoencoder) and the KL.
  judge(pixels) {
    const { model, grain, noise } = this;
    const { config, encode } = model;
    const decode = decoderOf(model);
    if (!encode) throw new Error(`The encoder of ${model.key} cannot run in the browser.`);
    const binary = config.likelihood === "bernoulli";
    const x = Float32Array.from(pixels, (u, i) => (binary ? +(grain[i] * 255 < u) : (u + grain[i]) / 256));
    const q = encode(x);
    const reconstruction = decode(q.mean).mean.slice(); // the decoder reuses its arrays
    if (!model.deviations) return { q, reconstruction, elbo: null, kl: 0 };
    let kl = 0;
    for (let j = 0; j < model.J; j++) {
      const [m, s] = [q.mean[j], q.deviation[j]];
      kl += 0.5 * (m * m + s * s - 1) - Math.log(s);
    }
    let sum = 0;
    for (const eps of noise) {
      const z = Float32Array.from(eps, (e, j) => q.mean[j] + q.deviation[j] * e);
      sum += logLikelihood(x, decode(z, true), config);
    }
    return { q, reconstruction, elbo: sum / noise.length - kl, kl };
  }
}
