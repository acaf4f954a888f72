// A short tour for new visitors, which points out parts of the page one by one. Once closed, it is not shown again.

import { button } from "./controls.js";
import { element } from "./dom.js";
import { isNew, over } from "./newcomer.js";
import { STORE } from "./store.js";

const WAITS = 300; // milliseconds between two updates of the positions
const AWAY = 16; // px between a callout and its target
const SIDEBAR = "[data-testid=stExpandSidebarButton]"; // stands for targets in the sidebar while it is collapsed

/** @type {[name: string, find: () => Element | null | undefined][]} */
const STOPS = [
  ["map", () => STORE.stage],
  ["models", () => document.querySelector(".st-key-choice")],
  ["lesson", () => document.querySelector("[data-testid=stSidebarNav] a[href*=lesson]")],
];

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".tour");
  root.tour ??= new Tour(root);
  root.tour.told(data.words);
  return () => root.tour.leave();
}

class Tour {
  /** @type {Record<string, string>} */
  words = {};
  /** @type {HTMLElement | null} */
  sheet = null; // above the page, which stays usable
  stop = 0;
  /** @type {ReturnType<typeof setInterval> | 0} */
  timer = 0;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.ring = element("div", { class: "around" });
    this.card = element("div", { class: "card", role: "dialog", "aria-describedby": "says" });
    this.keys = (event) => event.key === "Escape" && this.close();
  }

  told(words) {
    const same = this.words.name === words.name;
    this.words = words;
    if (this.sheet && !same) this.show();
    if (isNew("tour") && "popover" in HTMLElement.prototype) this.timer ||= setInterval(() => this.follow(), WAITS);
  }

  // Begins when the map is there, and follows its target.
  follow() {
    if (!STORE.stage?.isConnected) return;
    if (!this.sheet) this.begin();
    const [name, find] = STOPS[this.stop];
    const target = [find(), document.querySelector(SIDEBAR)].find((each) => each && inSight(each)) ?? STORE.stage;
    const { left, top, right, bottom } = target.getBoundingClientRect();
    place(this.ring, left - 4, top - 4);
    Object.assign(this.ring.style, { width: `${right - left + 8}px`, height: `${bottom - top + 8}px` });
    const { offsetWidth: wide, offsetHeight: high } = this.card;
    const narrow = right - left < 2 * wide; // a callout inside the map would hide it
    const beside = [right + AWAY, (top + bottom - high) / 2];
    const [x, y] = name === "map" ? [left + AWAY, narrow ? top - high - AWAY : bottom - high - AWAY] : beside;
    place(this.card, Math.max(Math.min(x, innerWidth - wide - 8), 8), Math.max(Math.min(y, innerHeight - high - 8), 8));
  }

  begin() {
    this.before = /** @type {HTMLElement | null} */ (document.activeElement);
    this.sheet = element("div", { class: "sheet-of-tour", popover: "manual" }, this.ring, this.card);
    this.root.append(this.sheet);
    this.sheet.showPopover();
    addEventListener("keydown", this.keys, true);
    this.show();
  }

  show() {
    const { words, stop } = this;
    const last = stop === STOPS.length - 1;
    const next = button(last ? words.done : words.next, () => (last ? this.close() : this.go(stop + 1)), {
      class: "next",
    });
    this.card.setAttribute("aria-label", words.name);
    this.card.replaceChildren(
      element("p", { id: "says", text: words[STOPS[stop][0]] }),
      element(
        "div",
        { class: "row" },
        element("span", { text: `${stop + 1} / ${STOPS.length}` }),
        last ? null : button(words.skip, () => this.close(), { class: "skip" }),
        next,
      ),
    );
    next.focus({ preventScroll: true });
  }

  /** @param {number} stop */
  go(stop) {
    this.stop = stop;
    STOPS[stop][1]()?.scrollIntoView({ block: "nearest" });
    this.show();
    this.follow();
  }

  close() {
    over("tour");
    this.leave();
    if (this.before?.isConnected) this.before.focus({ preventScroll: true });
  }

  leave() {
    clearInterval(this.timer);
    this.timer = 0;
    removeEventListener("keydown", this.keys, true);
    this.sheet?.remove();
    this.sheet = null;
  }
}

/** @param {Element} node */
function inSight(node) {
  const { left, right, width } = node.getBoundingClientRect();
  return width > 0 && right > 0 && left < innerWidth && node.checkVisibility({ visibilityProperty: true });
}

/** @type {(node: HTMLElement, left: number, top: number) => void} */
const place = (node, left, top) => Object.assign(node.style, { left: `${left}px`, top: `${top}px` });
