// Converts a figure of the page to one picture: SVG text, or a PNG of twice its size.

import { brush, element } from "./dom.js";
import { dataUri, fontsFor } from "./fonts.js";
import { snapshot } from "./snapshot.js";
import { svg } from "./svg.js";

/** @import { Found } from "./found.js" */

const TIMES = 2; // PNG pixels per page pixel, along each axis

/**
 * @param {Found} found
 * @returns {Promise<string>}
 */
export async function asSvg({ kind, node, name }) {
  const drawn =
    kind === "picture" ? await picture(node) : grounded(kind === "chart" ? await chart(node) : snapshot(node));
  drawn.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const text = new XMLSerializer();
  const style = svg("style");
  style.textContent = await fontsFor(text.serializeToString(drawn));
  const title = svg("title", {}, name);
  drawn.prepend(title, style);
  return text.serializeToString(drawn);
}

/**
 * @param {Found} found
 * @returns {Promise<Blob>}
 */
export async function asPng(found) {
  if (found.kind === "picture") {
    const image = /** @type {HTMLImageElement} */ (found.node);
    const content = await (await fetch(image.src)).blob();
    return content.type === "image/png" ? content : painted(image, image.naturalWidth, image.naturalHeight);
  }
  const address = URL.createObjectURL(new Blob([await asSvg(found)], { type: "image/svg+xml" }));
  const image = element("img", { src: address });
  await image.decode();
  const content = await painted(image, TIMES * image.naturalWidth, TIMES * image.naturalHeight);
  URL.revokeObjectURL(address);
  return content;
}

/**
 * @param {HTMLImageElement} image
 * @param {number} width
 * @param {number} height
 * @returns {Promise<Blob>}
 */
function painted(image, width, height) {
  const canvas = element("canvas", { width, height });
  brush(canvas).drawImage(image, 0, 0, width, height);
  return new Promise((kept, lost) =>
    canvas.toBlob(
      (content) => (content ? kept(content) : lost(new Error("This browser cannot convert it to PNG."))),
      "image/png",
    ),
  );
}

// With the background of the page rather than a transparent one: white text is invisible on a white slide.
/** @param {SVGSVGElement} drawn */
function grounded(drawn) {
  const [x, y, width, height] = (drawn.getAttribute("viewBox") ?? "").split(" ");
  const fill = getComputedStyle(document.querySelector("[data-testid=stApp]") ?? document.body).backgroundColor;
  drawn.prepend(svg("rect", { x, y, width, height, fill }));
  return drawn;
}

// Streamlit's plotly.js draws it again; WebGL points are embedded as an image.
/** @param {HTMLElement} node */
async function chart(node) {
  const { width, height } = node.getBoundingClientRect();
  const { Plotly } = /** @type {any} */ (window);
  const text = await Plotly.toImage(node, { format: "svg", width, height, imageDataOnly: true });
  return /** @type {any} */ (new DOMParser().parseFromString(text, "image/svg+xml").documentElement);
}

// The original pixels of an image, marked not to be smoothed when enlarged.
/** @param {HTMLElement} node */
async function picture(node) {
  const { naturalWidth: width, naturalHeight: height } = /** @type {HTMLImageElement} */ (node);
  const content = await asPng({ kind: "picture", node, name: "", file: "" });
  const href = await dataUri(content);
  const pixels = svg("image", { href, width, height, style: "image-rendering: pixelated" });
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}` }, pixels);
}
