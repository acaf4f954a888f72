// A component as one SVG drawing: canvases, drawings, boxes and texts in place; buttons and controls are left out.

import { brush, element } from "./dom.js";
import { svg } from "./svg.js";

const CONTROLS = "button, input, select, textarea, label, summary, table, [role=status]:empty, style, script";
const SHOWS = "canvas, svg, i"; // a button with one of these is part of the picture: an image to click on, a class
const EDGE = 12; // around the drawing
const FONT = ["font-family", "font-size", "font-weight", "font-style"];
const DRAWN = [
  ...["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap"],
  ...["opacity", "paint-order", "text-anchor", "dominant-baseline", ...FONT],
];
const CLEAR = /^(transparent|rgba\(\d+, \d+, \d+, 0\))$/;

/** @param {HTMLElement} host - of the component */
export function snapshot(host) {
  const whole = new Snapshot(host.getBoundingClientRect());
  for (const child of host.shadowRoot?.childNodes ?? []) whole.take(child, whole.drawing);
  return whole.ended();
}

class Snapshot {
  /** @param {DOMRect} from - the origin of the drawing */
  constructor(from) {
    this.from = from;
    this.drawing = svg("svg");
    this.defined = 0; // gradients
    this.extent = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
    this.ruler = brush(element("canvas"));
  }

  ended() {
    const { left, top, right, bottom } = this.extent;
    const [width, height] = [right - left + 2 * EDGE, bottom - top + 2 * EDGE].map(Math.ceil);
    const viewBox = `${round(left - EDGE)} ${round(top - EDGE)} ${width} ${height}`;
    for (const [name, value] of Object.entries({ width, height, viewBox })) this.drawing.setAttribute(name, `${value}`);
    return this.drawing;
  }

  // The position of a box in the drawing, which grows to contain it.
  /** @param {DOMRect} box */
  place(box) {
    const [x, y, { width, height }] = [box.left - this.from.left, box.top - this.from.top, box];
    this.extent.left = Math.min(this.extent.left, x);
    this.extent.top = Math.min(this.extent.top, y);
    this.extent.right = Math.max(this.extent.right, x + width);
    this.extent.bottom = Math.max(this.extent.bottom, y + height);
    return { x: round(x), y: round(y), width: round(width), height: round(height) };
  }

  /**
   * @param {Node} node
   * @param {SVGElement} into
   */
  take(node, into) {
    if (node instanceof Text) return this.takeText(node, into);
    if (!(node instanceof Element) || (node.matches(CONTROLS) && !node.querySelector(SHOWS))) return;
    if (node.matches("table, label") || !node.checkVisibility({ visibilityProperty: true })) return;
    const style = getComputedStyle(node);
    if (style.opacity !== "1") {
      const pale = svg("g", { opacity: style.opacity });
      into.append(pale);
      into = pale;
    }
    if (node instanceof SVGSVGElement) return into.append(this.copied(node));
    const box = node.getBoundingClientRect();
    if (box.width && box.height && !node.matches("button")) this.takeBox(box, style, into);
    if (node instanceof HTMLCanvasElement && node.width && node.height && box.width) {
      const rendering = style.imageRendering === "pixelated" ? "image-rendering: pixelated" : null;
      const attributes = { href: node.toDataURL(), preserveAspectRatio: "none", style: rendering };
      into.append(svg("image", { ...attributes, ...this.place(box) }));
    } else for (const child of node.childNodes) this.take(child, into);
  }

  // Background and border of an element.
  /**
   * @param {DOMRect} box
   * @param {CSSStyleDeclaration} style
   * @param {SVGElement} into
   */
  takeBox(box, style, into) {
    const gradient = this.gradient(style.backgroundImage, into);
    const fill = gradient ?? (CLEAR.test(style.backgroundColor) ? "none" : style.backgroundColor);
    const edge = ["Top", "Right", "Bottom", "Left"].every((side) => Number.parseFloat(style[`border${side}Width`]) > 0);
    const stroke = edge && !CLEAR.test(style.borderTopColor) ? style.borderTopColor : "none";
    if (fill === "none" && stroke === "none") return;
    const radius = Number.parseFloat(style.borderTopLeftRadius) || 0;
    const rx = style.borderTopLeftRadius.endsWith("%") ? (radius / 100) * box.width : radius;
    into.append(svg("rect", { ...this.place(box), rx, fill, stroke, "stroke-width": style.borderTopWidth }));
  }

  // A colour scale from left to right, the only kind in the components.
  /**
   * @param {string} image
   * @param {SVGElement} into
   */
  gradient(image, into) {
    if (!image.startsWith("linear-gradient(to right")) return null;
    const colours = image.match(/rgba?\([^)]*\)/g) ?? [];
    const id = `scale${++this.defined}`;
    const stops = colours.map((colour, i) =>
      svg("stop", { offset: round(i / Math.max(colours.length - 1, 1)), "stop-color": colour }),
    );
    into.append(svg("linearGradient", { id }, ...stops));
    return `url(#${id})`;
  }

  // A drawing with its computed styles, since the style sheets of the page are not included.
  /** @param {SVGSVGElement} node */
  copied(node) {
    const copy = /** @type {SVGSVGElement} */ (node.cloneNode(true));
    const inner = [...copy.querySelectorAll("*")];
    [...node.querySelectorAll("*")].forEach((from, i) => {
      const style = getComputedStyle(from);
      if (style.display === "none" || style.visibility === "hidden") return inner[i].remove();
      for (const name of DRAWN) inner[i].setAttribute(name, style.getPropertyValue(name));
    });
    for (const each of [copy, ...inner])
      for (const name of each.getAttributeNames())
        if (/^(class|style|role|tabindex|aria-.*)$/.test(name)) each.removeAttribute(name);
    const place = this.place(node.getBoundingClientRect());
    for (const [name, value] of Object.entries({ ...place, overflow: "visible" })) copy.setAttribute(name, `${value}`);
    return copy;
  }

  /**
   * @param {Text} text
   * @param {SVGElement} into
   */
  takeText(text, into) {
    const style = text.parentElement && getComputedStyle(text.parentElement);
    if (!style) return;
    const font = Object.fromEntries(FONT.map((name) => [name, style.getPropertyValue(name)]));
    for (const { box, words } of lines(text)) {
      const place = this.place(box);
      const attributes = { ...font, fill: style.color, "xml:space": "preserve" };
      if (style.writingMode === "horizontal-tb") {
        this.ruler.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
        const { fontBoundingBoxAscent: ascent, fontBoundingBoxDescent: descent } = this.ruler.measureText(words);
        const y = round(place.y + (place.height - ascent - descent) / 2 + ascent);
        into.append(svg("text", { ...attributes, x: place.x, y }, words));
      } else {
        const turn = `translate(${place.x + place.width / 2} ${place.y + place.height / 2}) rotate(-90)`;
        into.append(svg("text", { ...attributes, transform: turn, "text-anchor": "middle", dy: "0.35em" }, words));
      }
    }
  }
}

/** @param {number} value */
const round = (value) => Math.round(100 * value) / 100;

// The lines of a wrapped text, each with its box.
/** @param {Text} text */
function lines(text) {
  /** @type {{ box: DOMRect, words: string }[]} */
  const found = [];
  const range = document.createRange();
  let [start, end] = [0, 0];
  const close = () => {
    if (end === start) return;
    range.setStart(text, start);
    range.setEnd(text, end);
    found.push({ box: range.getBoundingClientRect(), words: text.data.slice(start, end).replace(/\s+/g, " ") });
  };
  let last = NaN;
  const upright = text.parentElement && getComputedStyle(text.parentElement).writingMode === "horizontal-tb";
  for (const letter of text.data.matchAll(/\S/gu)) {
    range.setStart(text, letter.index);
    range.setEnd(text, letter.index + letter[0].length);
    const box = range.getBoundingClientRect();
    if (!box.width) continue;
    const at = upright ? box.top : 0;
    if (Math.abs(at - last) > box.height / 2) {
      close();
      start = letter.index;
    } else if (Number.isNaN(last)) start = letter.index;
    last = at;
    end = letter.index + letter[0].length;
  }
  close();
  return found;
}
