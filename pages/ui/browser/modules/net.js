// A model's networks in plain JavaScript, as exported by vae/model/portable.py. Sums are in double precision.

/**
 * @typedef {ArrayLike<number>} Vector
 * @typedef {object} Config
 * @property {number} latent
 * @property {number[]} image_shape
 * @property {string} likelihood
 * @property {number | null} [log_variance_floor]
 */
/**
 * @typedef {"relu" | "tanh" | "silu"} Activation
 * @typedef {{ widths: number[], heads: number[], constant: boolean, half: boolean }} Shape
 * @typedef {Shape & { activation: Activation, bounded: boolean }} Layout
 * @typedef {{ layout: Layout, weights: Float32Array | Uint16Array }} Packed
 * @typedef {{ mean: Float32Array, deviation: Float32Array, logits: Float32Array }} Decoded
 * @typedef {(z: Vector, spread?: boolean) => Decoded} Decode
 * @typedef {(x: Vector) => { mean: Float32Array, deviation: Float32Array }} Encode
 * @typedef {(x: Vector) => Float32Array} Classify
 */
/**
 * Converts the bits of half-precision numbers to float32; returns other arrays unchanged.
 * @param {Float32Array | Uint16Array} weights
 * @returns {Float32Array}
 */
function floats(weights) {
  if (!(weights instanceof Uint16Array)) return weights;
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const size = exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024);
    table[bits] = bits >> 15 ? -size : size;
  }
  return Float32Array.from(weights, (bits) => table[bits]);
}

/**
 * out = W h + b, W row by row; four sums side by side keep the processor busy.
 * @param {Float32Array} weights
 * @param {number} at
 * @param {Vector} h
 * @param {Float32Array} out
 * @returns {number} where the next weights begin
 */
function affine(weights, at, h, out) {
  const inputs = h.length;
  const outputs = out.length;
  const biases = at + inputs * outputs;
  const whole = inputs & ~3;
  for (let row = 0; row < outputs; row++) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let i = 0;
    let w = at + row * inputs;
    for (; i < whole; i += 4, w += 4) {
      a += weights[w] * h[i];
      b += weights[w + 1] * h[i + 1];
      c += weights[w + 2] * h[i + 2];
      d += weights[w + 3] * h[i + 3];
    }
    for (; i < inputs; i++, w++) a += weights[w] * h[i];
    out[row] = a + b + c + d + weights[biases + row];
  }
  return biases + outputs;
}

const ACTIVATIONS = {
  relu: (v) => Math.max(v, 0),
  tanh: Math.tanh,
  silu: (v) => v / (1 + Math.exp(-v)),
};

/**
 * Returns a function that computes the raw outputs of the first `heads` heads for an input.
 * @param {Packed} packed
 * @returns {(input: Vector, heads?: number) => Float32Array[]}
 */
function network({ layout, weights }) {
  const all = floats(weights);
  const squash = ACTIVATIONS[layout.activation];
  const hidden = layout.widths.slice(1).map((width) => new Float32Array(width));
  const outputs = layout.heads.map((width) => new Float32Array(width));
  return (input, heads = outputs.length) => {
    let h = input;
    let at = 0;
    for (const out of hidden) {
      at = affine(all, at, h, out);
      for (let i = 0; i < out.length; i++) out[i] = squash(out[i]);
      h = out;
    }
    for (let k = 0; k < heads; k++) {
      if (k === 1 && layout.constant) outputs[k].set(all.subarray(at));
      else at = affine(all, at, h, outputs[k]);
    }
    return outputs;
  };
}

/** @type {(v: number) => number} */
const sigmoid = (v) => 1 / (1 + Math.exp(-v));
/** @type {(v: number) => number} */
const softplus = (v) => (v > 30 ? v : Math.log1p(Math.exp(v)));

/**
 * Maps z to the mean and, if requested, the standard deviation of p(x|z); the arrays are reused by the next call.
 * @param {Packed} packed
 * @param {Config} config
 * @returns {Decode}
 */
export function makeDecoder(packed, config) {
  const raw = network(packed);
  const pixels = packed.layout.heads[0];
  const mean = new Float32Array(pixels);
  const deviation = new Float32Array(pixels);
  const bernoulli = config.likelihood === "bernoulli";
  const { bounded } = packed.layout;
  const floor = config.log_variance_floor ?? null;
  return (z, spread = false) => {
    const [location, logVariance] = raw(z, spread && !bernoulli ? 2 : 1);
    for (let i = 0; i < pixels; i++) mean[i] = bounded ? sigmoid(location[i]) : location[i];
    if (spread) {
      const shared = !bernoulli && logVariance.length === 1;
      for (let i = 0; i < pixels; i++) {
        if (bernoulli) {
          deviation[i] = Math.sqrt(mean[i] * (1 - mean[i]));
          continue;
        }
        if (shared && i) {
          deviation[i] = deviation[0];
          continue;
        }
        const v = Math.min(Math.max(logVariance[i], -80), 80);
        deviation[i] = Math.exp(0.5 * (floor === null ? v : floor + softplus(v - floor)));
      }
    }
    return { mean, deviation, logits: location };
  };
}

/**
 * Maps x to the mean and standard deviation of q(z|x).
 * @param {Packed} packed
 * @returns {Encode}
 */
export function makeEncoder(packed) {
  const raw = network(packed);
  return (x) => {
    const [mean, logVariance] = raw(x);
    return {
      mean: Float32Array.from(mean, (v) => Math.min(Math.max(v, -1e4), 1e4)),
      deviation: Float32Array.from(logVariance, (v) => Math.exp(0.5 * Math.min(Math.max(v, -30), 12))),
    };
  };
}

/**
 * Returns a function from x to p(y|x), whose array is reused by the next call.
 * @param {Packed} packed
 * @returns {Classify}
 */
export function makeClassifier(packed) {
  const raw = network(packed);
  return (x) => {
    const [scores] = raw(x);
    const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
    let sum = 0;
    for (let k = 0; k < scores.length; k++) sum += scores[k] = Math.exp(scores[k] - most);
    for (let k = 0; k < scores.length; k++) scores[k] /= sum;
    return scores;
  };
}

/**
 * log p(x|z) in nats.
 * @param {Vector} x
 * @param {Decoded} decoded
 * @param {Config} config
 */
export function logLikelihood(x, { mean, deviation, logits }, config) {
  let sum = 0;
  if (config.likelihood === "bernoulli") {
    for (let i = 0; i < x.length; i++) sum += x[i] * logits[i] - softplus(logits[i]);
    return sum;
  }
  for (let i = 0; i < x.length; i++) {
    const off = (x[i] - mean[i]) / deviation[i];
    sum -= 0.5 * off * off + Math.log(deviation[i]);
  }
  return sum - 0.5 * x.length * Math.log(2 * Math.PI);
}
