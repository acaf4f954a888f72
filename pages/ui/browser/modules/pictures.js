// Small pictures: canvases of whole pixels, and test images fetched from the server in sheets.

import { brush, element, overColours, paint, ROOT, sayNumber } from "./dom.js";
import { STORE } from "./store.js";

/** @import { Model } from "./store.js" */

const SHEETS = (STORE.sheets ??= new Map());
const SHEET = 100;
const SIDE = 10; // images per sheet, and along its side

export class Picture {
  /** @type {number | null} */
  row; // of the test image shown

  /**
   * @param {string} words
   * @param {number} width
   * @param {number} height
   * @param {string} [size]
   */
  constructor(words, width, height, size = "") {
    this.canvas = element("canvas", { width, height, role: "img", "aria-label": words, class: size });
    this.caption = element("figcaption", { text: words });
    this.figure = element("figure", {}, this.canvas, this.caption);
    this.context = brush(this.canvas);
    this.image = this.context.createImageData(width, height);
  }

  // Shows values in [0, 1], in grey or colour.
  /** @param {ArrayLike<number>} values */
  plain(values) {
    paint(this.image.data, values);
    this.context.putImageData(this.image, 0, 0);
    return this;
  }

  /**
   * Shows sigma on a colour scale, the maximum brightest, with minimum and maximum in the caption.
   * @param {ArrayLike<number>} values
   * @param {number[]} scale
   * @param {string} words - with {low} and {high}
   */
  deviation(values, scale, words) {
    const shown = overColours(values, this.image.data.length / 4);
    let low = Number.POSITIVE_INFINITY;
    let high = 1e-12;
    for (let i = 0; i < shown.length; i++) {
      low = Math.min(low, shown[i]);
      high = Math.max(high, shown[i]);
    }
    for (let i = 0; i < shown.length; i++) {
      const at = 3 * Math.round((255 * Math.max(0, shown[i])) / high);
      this.image.data.set([scale[at], scale[at + 1], scale[at + 2], 255], 4 * i);
    }
    this.context.putImageData(this.image, 0, 0);
    return this.say(words.replace("{low}", sayNumber(low)).replace("{high}", sayNumber(high)));
  }

  clear() {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.missing?.remove();
    return this;
  }

  // Says that the image could not be loaded; it is requested again when it is needed again.
  lack() {
    this.row = null;
    this.missing = element("p", { class: "missing", role: "status", text: STORE.missing });
    this.figure.append(this.missing);
  }

  /** @param {string} words */
  say(words) {
    if (this.caption.textContent === words) return this;
    this.caption.textContent = words;
    this.canvas.setAttribute("aria-label", words);
    return this;
  }
}

// Calls back with a sheet of a hundred test images, immediately if it is loaded, or with null if loading fails.
function whenSheet(model, number, then) {
  const address = model.sheets?.[number] ?? new URL(`${model.images}/${number}.png`, ROOT).href;
  let sheet = SHEETS.get(address);
  if (!sheet) {
    sheet = new Image();
    sheet.src = address;
    SHEETS.set(address, sheet);
    sheet.addEventListener("error", () => SHEETS.delete(address));
  }
  if (sheet.complete && sheet.naturalWidth) then(sheet);
  else {
    sheet.addEventListener("load", () => then(sheet), { once: true });
    sheet.addEventListener("error", () => then(null), { once: true });
  }
}

/**
 * Draws a test image into a picture; a late response never replaces a newer image.
 * @param {Picture} picture
 * @param {Model} model
 * @param {number} row
 */
export function showImage(picture, model, row) {
  if (picture.row === row) return;
  picture.clear().row = row;
  const { width, height } = model;
  whenSheet(model, Math.floor(row / SHEET), (sheet) => {
    if (picture.row !== row) return;
    if (!sheet) return picture.lack();
    const place = row % SHEET;
    const column = place % SIDE;
    const line = Math.floor(place / SIDE);
    picture.context.drawImage(sheet, column * width, line * height, width, height, 0, 0, width, height);
  });
}
