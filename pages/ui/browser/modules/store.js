// Holds the large data for all components of the page: the networks and codes of models, sent once.

/** @import { Classify, Config, Decode, Encode } from "./net.js" */

/**
 * A model in the components; decoder and encoder are null if they cannot run in the browser.
 * @typedef {object} Model
 * @property {string} key
 * @property {Config} config
 * @property {number} J - latent dimensions
 * @property {number} count - test images
 * @property {number} width
 * @property {number} height
 * @property {string} images - address of the sheets of test images, from the root of the app
 * @property {string[]} [sheets] - the sheets themselves as data URIs, if included
 * @property {Float32Array} means - of q(z|x), a row per image
 * @property {Float32Array | null} deviations - null for an autoencoder
 * @property {number[] | Uint8Array | Uint16Array} labels - classes or, without labels, levels of a density
 * @property {string[]} classes - names of the labels; empty for levels
 * @property {string[]} colours
 * @property {Decode | null} decode
 * @property {Encode | null} [encode]
 * @property {Classify} [classify] - for a classifier, which has no other data
 */
const shared = /** @type {any} */ (window);

/**
 * Each component is a separate module, so shared data are stored in the window.
 * @type {{
 *   models: Map<string, Model>, waiting: Set<(model: Model) => void>, sheets?: Map<string, HTMLImageElement>,
 *   missing?: string, stage?: HTMLElement,
 * }}
 */
export const STORE = (shared.vaeExplorer ??= { models: new Map(), waiting: new Set() });

/**
 * Calls back with the model of a key, immediately or when it has arrived.
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

// The decoder of a model, which the caller has checked to be available.
/** @param {Model} model */
export function decoderOf(model) {
  if (!model.decode) throw new Error(`The decoder of ${model.key} cannot run in the browser.`);
  return model.decode;
}

// An array: on a page it arrives as an Arrow table, in a file as it is.
export const column = (table) => (ArrayBuffer.isView(table) ? table : table.getChildAt(0).toArray());

// Deflated bytes: first bytes of all numbers, then second bytes, so that adjacent exponents compress well.
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
