// The figures and tables of the page that can be downloaded, in order, with their names.

/** @typedef {"chart" | "component" | "picture" | "table"} Kind */
/** @typedef {{ kind: Kind, node: HTMLElement, name: string, file: string }} Found */

const KINDS = {
  chart: ".js-plotly-plot",
  component: "[data-testid=stBidiComponentIsolated]",
  picture: "[data-testid=stImage] img",
  table: "table",
};
const HEADINGS = "h1, h2, h3, h4, h5, h6";
// pictures that serve as buttons, and Streamlit's canvas contents for screen readers
const PASSED_OVER = "[class*=-picker], canvas *";

/**
 * @param {string} model - in use
 * @param {string} page - the last part of its path
 * @returns {Found[]}
 */
export function find(model, page) {
  /** @type {Found[]} */
  const found = [];
  const names = new Map();
  const files = new Map();
  let heading = "";
  const take = (kind, node) => {
    if (!visible(node)) return;
    const name = named(node) || heading || page;
    const [whole, own] = [page, part(node, model, page) || name].map(slug);
    const file = slug([model, whole, ...(whole.endsWith(own) ? [] : [own])].join("-"));
    found.push({ kind, node, name: another(names, name, " "), file: another(files, file, "-") });
  };
  const main = document.querySelector("[data-testid=stMain]") ?? document.body;
  for (const node of main.querySelectorAll([HEADINGS, ...Object.values(KINDS)].join())) {
    if (!(node instanceof HTMLElement) || node.closest(PASSED_OVER)) continue;
    const kind = Object.entries(KINDS).find(([, selector]) => node.matches(selector))?.[0];
    if (!kind) heading = words(node);
    else if (kind !== "component") take(kind, node);
    else {
      if ([...inside(node, "canvas, svg")].some(visible)) take(kind, node);
      for (const table of inside(node, "table")) take("table", table);
    }
  }
  return found;
}

/** @type {(host: HTMLElement, selector: string) => Iterable<any>} */
const inside = (host, selector) => host.shadowRoot?.querySelectorAll(selector) ?? [];

/** @param {Element} node */
function visible(node) {
  const box = node.getBoundingClientRect();
  return box.width > 1 && box.height > 1 && node.checkVisibility({ visibilityProperty: true });
}

// The accessible name; "" if only the heading above names it.
/** @param {HTMLElement} node */
const named = (node) =>
  node.getAttribute("alt") ||
  (node.closest("[data-testid=stPlotlyChart], [data-testid=stTable]")?.getAttribute("aria-label") ?? "");

/** @param {Element} heading */
const words = (heading) => {
  const copy = /** @type {Element} */ (heading.cloneNode(true));
  for (const each of copy.querySelectorAll(".katex"))
    each.replaceWith(each.querySelector("annotation")?.textContent ?? "");
  return copy.textContent?.trim() ?? "";
};

// The key in the app, without the page, the model and what follows that: "race".
/**
 * @param {HTMLElement} node
 * @param {string} model
 * @param {string} page
 */
function part(node, model, page) {
  const root = node.getRootNode();
  const outer = root instanceof ShadowRoot ? root.host : node;
  const box = outer.closest("[class*=st-key-]");
  const key = [...(box?.classList ?? [])].find((each) => each.startsWith("st-key-"))?.slice("st-key-".length) ?? "";
  if (!box?.matches("[data-testid=stElementContainer]")) return ""; // the key of a whole group
  const own = key.split(`-${model}`)[0].replace(/(-(\d+|True|False))+$/, "");
  return own.startsWith(`${page}-`) ? own.slice(page.length + 1) : own;
}

// Keeps letters and digits of any language, which every file system accepts, and hyphens.
/** @param {string} text */
const slug = (text) =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .slice(0, 80)
    .replace(/^-|-$/g, "");

/**
 * @param {Map<string, number>} seen
 * @param {string} name
 * @param {string} gap
 */
function another(seen, name, gap) {
  const times = (seen.get(name) ?? 0) + 1;
  seen.set(name, times);
  return times > 1 ? `${name}${gap}${times}` : name;
}
