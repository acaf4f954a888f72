// Class probabilities as bars, one per class, or only the most probable classes if there are too many.

import { element } from "./dom.js";
import { likeliest } from "./lattice.js";

const MOST = 10;

/**
 * @param {HTMLElement} bars
 * @param {{ classes: string[], inks: string[], grid: { classes: number } }} data
 * @param {ArrayLike<number> | null} shares - null where they are not known
 */
export function drawClasses(bars, { classes, inks, grid }, shares) {
  const order = [...Array(grid.classes).keys()]; // in the order of the classes, so that bars do not move
  if (grid.classes > MOST && shares) order.sort((i, j) => shares[j] - shares[i]);
  const best = shares ? likeliest(shares) : -1;
  order.slice(0, MOST).forEach((k, i) => {
    let row = /** @type {any} */ (bars.children[i]);
    if (!row) {
      row = element("div", { role: "listitem" }, element("span"), element("i"), element("span"));
      row.children[1].append(element("i"));
      bars.append(row);
    }
    const share = shares ? shares[k] : 0;
    const [name, bar, value] = row.children;
    if (name.textContent !== classes[k]) name.textContent = classes[k];
    bar.firstChild.style.width = `${100 * share}%`;
    bar.firstChild.style.background = inks[k % inks.length];
    value.textContent = shares ? percent(share) : "";
    row.classList.toggle("best", k === best);
  });
  while (bars.children.length > Math.min(MOST, order.length)) bars.lastChild?.remove();
}

// One digit more for values near 0 or 1.
const percent = (share) => {
  const plain = (share >= 0.0995 && share < 0.9895) || share < 0.0005 || share >= 0.9995;
  return `${(100 * share).toFixed(plain ? 0 : 1)}%`;
};
