// Keeps what is large for all components of the page: the nets and the codes of one model, sent once.

/** @import { Classify, Config, Decode, Encode } from "./net.js" */

/**
 * A model as the components know it; the decoder and the encoder are null where they do not fit a browser.
 * @typedef {object} Model
 * @property {string} key
 * @property {Config} config
 * @property {number} J - latent dimensions
 * @property {number} count - test images
 * @property {number} width
 * @property {number} height
 * @property {string} images - address of the sheets of test images, from the root of the app
 * @property {string[]} [sheets] - the sheets themselves as data URIs, where they came along
 * @property {Float32Array} means - of q(z|x), a row per image
 * @property {Float32Array | null} deviations - none of an autoencoder
 * @property {number[] | Uint8Array | Uint16Array} labels - classes or, where there are none, levels of a density
 * @property {string[]} classes - names of the labels; none of levels
 * @property {string[]} colours
 * @property {Decode | null} decode
 * @property {Encode | null} [encode]
 * @property {Classify} [classify] - of a classifier, which has no more than its key besides
 */
const shared = /** @type {any} */ (window);

/**
 * The components of a page are modules of their own each, so what they share is the window's.
 * @type {{
 *   models: Map<string, Model>, waiting: Set<(model: Model) => void>, sheets?: Map<string, HTMLImageElement>,
 *   missing?: string,
 * }}
 */
export const STORE = (shared.vaeExplorer ??= { models: new Map(), waiting: new Set() });

/**
 * Calls back with the model of that key, at once or when it has come.
 * @param {string} key
 * @param {(model: Model) => void} then
 */
export function whenModel(key, then) {
  const here = STORE.models.get(key);
  if (here) return then(here);
  /** @param {Model} model */
  const wait = (model) => {
    if (model.key !== key) return;
    STORE.waiting.delete(wait);
    then(model);
  };
  STORE.waiting.add(wait);
}

// The decoder of a model that has it here, which whoever asks has made sure of.
/** @param {Model} model */
export function decoderOf(model) {
  if (!model.decode) throw new Error(`The decoder of ${model.key} does not fit a browser.`);
  return model.decode;
}

// An array: a page gets it as a table of Arrow, a file has it as it is.
export const column = (table) => (ArrayBuffer.isView(table) ? table : table.getChildAt(0).toArray());

// Deflated bytes, all first bytes of the numbers, then all second ones: so the exponents lie together and shrink.
export async function inflate(bytes, Kind) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const size = Kind.BYTES_PER_ELEMENT;
  const whole = new Uint8Array(planes.length);
  const count = planes.length / size;
  for (let byte = 0; byte < size; byte++) {
    for (let i = 0; i < count; i++) whole[i * size + byte] = planes[byte * count + i];
  }
  return new Kind(whole.buffer);
}
