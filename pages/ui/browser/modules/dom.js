// Small helpers of all components.

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

// What draws on a canvas.
/** @type {(canvas: HTMLCanvasElement, settings?: CanvasRenderingContext2DSettings) => CanvasRenderingContext2D} */
export const brush = (canvas, settings) => {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new Error("This browser draws no canvas.");
  return context;
};

/** @type {(v: number, low: number, high: number) => number} */
export const clip = (v, low, high) => Math.min(Math.max(v, low), high);

/** @type {(value: number, digits?: number) => string} */
export const sayNumber = (value, digits = 2) => value.toFixed(digits).replace("-", "−");

/**
 * @param {string} colour
 * @returns {[number, number, number]}
 */
export function rgb(colour) {
  const n = parseInt(colour.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

/**
 * Grey pixels in [0, 1] into the bytes of an image.
 * @param {Uint8ClampedArray} bytes
 * @param {ArrayLike<number>} values
 */
export function paint(bytes, values) {
  for (let i = 0; i < values.length; i++) {
    const level = Math.min(Math.max(values[i], 0), 1) * 255;
    bytes[4 * i] = bytes[4 * i + 1] = bytes[4 * i + 2] = level;
    bytes[4 * i + 3] = 255;
  }
}
