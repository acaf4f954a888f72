// Small helpers of all components.

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter(Boolean));
  return node;
}

export const clip = (v, low, high) => Math.min(Math.max(v, low), high);

export const sayNumber = (value, digits = 2) => value.toFixed(digits).replace("-", "−");

export function rgb(colour) {
  const n = parseInt(colour.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

// Grey pixels in [0, 1] into the bytes of an image.
export function paint(bytes, values) {
  for (let i = 0; i < values.length; i++) {
    const level = Math.min(Math.max(values[i], 0), 1) * 255;
    bytes[4 * i] = bytes[4 * i + 1] = bytes[4 * i + 2] = level;
    bytes[4 * i + 3] = 255;
  }
}
