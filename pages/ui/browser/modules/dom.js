// Helpers of all components.

// The root address of the app for this browser, possibly below a path that a proxy strips; derived from this module's.
export const ROOT = new URL("../../../", import.meta.url);

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null | false | undefined)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children) if (child) node.append(child);
  return node;
}

// Returns the context of a canvas.
/** @type {(canvas: HTMLCanvasElement, settings?: CanvasRenderingContext2DSettings) => CanvasRenderingContext2D} */
export const brush = (canvas, settings) => {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new Error("This browser does not support canvas drawing.");
  return context;
};

/** @type {(v: number, low: number, high: number) => number} */
export const clip = (v, low, high) => Math.min(Math.max(v, low), high);

/**
 * With a true minus sign and thousands separators, as `words.number` on the server.
 * @type {(value: number, digits?: number) => string}
 */
export const sayNumber = (value, digits = 2) => {
  const fixed = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  const text = Math.abs(value) < 999 ? value.toFixed(digits) : value.toLocaleString("en", fixed); // which is slower
  return text.replace("-", "−");
};

/**
 * @param {string} colour
 * @returns {[number, number, number]}
 */
export function rgb(colour) {
  const n = parseInt(colour.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

/**
 * Writes values in [0, 1] into the bytes of an image: one value per pixel in grey, three in colour.
 * @param {Uint8ClampedArray} bytes
 * @param {ArrayLike<number>} values
 */
export function paint(bytes, values) {
  const colour = 4 * values.length > bytes.length;
  for (let i = 0, at = 0; at < bytes.length; at += 4) {
    const level = Math.min(Math.max(values[i++], 0), 1) * 255;
    bytes[at] = bytes[at + 1] = bytes[at + 2] = level;
    bytes[at + 3] = 255;
    if (!colour) continue;
    bytes[at + 1] = Math.min(Math.max(values[i++], 0), 1) * 255;
    bytes[at + 2] = Math.min(Math.max(values[i++], 0), 1) * 255;
  }
}

/**
 * Returns one value per pixel: the values themselves or, in colour, the mean over the three channels.
 * @template {ArrayLike<number>} T
 * @param {T} values
 * @param {number} pixels
 * @returns {T | Float32Array}
 */
export function overColours(values, pixels) {
  if (values.length === pixels) return values;
  return Float32Array.from({ length: pixels }, (_, i) => (values[3 * i] + values[3 * i + 1] + values[3 * i + 2]) / 3);
}

/**
 * The stage of a plane with the titles of its axes, and what lies on it.
 * @param {HTMLElement} stage
 * @param {string[]} titles
 * @param {...HTMLElement} more
 */
export function framed(stage, titles, ...more) {
  return element(
    "div",
    { class: "frame" },
    stage,
    ...more,
    element("span", { class: "across", text: titles[0] }),
    element("span", { class: "up", text: titles[1] }),
  );
}
