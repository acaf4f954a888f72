// The menu of downloads: figures and tables of the page, and files made by the server.

import { button } from "./controls.js";
import { csv } from "./csv.js";
import { element, ROOT } from "./dom.js";
import { asPng, asSvg } from "./figure.js";
import { find } from "./found.js";

/** @import { Found } from "./found.js" */

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".takeaway");
  root.menu ??= new Menu(root);
  root.menu.show(data);
  root.menu.begin();
  return () => root.menu.end();
}

const OFTEN = 1000; // milliseconds between checks of the page, which may still be changing

class Menu {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.says = element("p", { class: "says", role: "status" });
    this.clock = setInterval(() => this.look(), OFTEN);
  }

  // Draws the list; the popover creates a new one whenever it opens.
  show(data) {
    this.data = data;
    this.listed = null;
    this.look();
  }

  // Lists the contents of the page, unless the list is up to date or a download is in progress.
  look() {
    const { words, offers, model, page } = this.data;
    const found = find(model, page);
    const listed = found.map(({ file, kind }) => `${file} ${kind}`).join();
    if (listed === this.listed || this.root.querySelector("[aria-busy=true]")) return;
    this.listed = listed;
    const held = this.root.contains(/** @type {ShadowRoot} */ (this.root.getRootNode()).activeElement);
    const figures = found.map((each) => this.figure(each));
    const list = (kind, name, entries) => [
      element("p", { class: "kind", text: name }),
      element("ul", { class: kind, "aria-label": name }, ...entries),
    ];
    this.root.replaceChildren(
      ...(figures.length ? list("shown", words.figures, figures) : [element("p", { text: words.none })]),
      ...(offers.length
        ? list(
            "made",
            words.files,
            offers.map((offer) => this.file(offer)),
          )
        : []),
      this.says,
    );
    if (held) this.focus();
  }

  end() {
    clearInterval(this.clock);
  }

  // Keyboard navigation continues from the button that opened the menu, which is at the end of the document.
  begin() {
    if (document.activeElement?.closest("[data-testid=stPopover]")) this.focus();
  }

  focus() {
    this.root.tabIndex = -1;
    this.root.focus({ preventScroll: true });
  }

  /** @param {Found} found */
  figure(found) {
    const kinds = found.kind === "table" ? ["CSV"] : ["PNG", "SVG"];
    const { as } = this.data.words;
    const buttons = kinds.map((kind) => {
      const name = as.replace("{name}", found.name).replace("{kind}", kind);
      return button(kind, (event) => this.take(found, kind, event.currentTarget), { "aria-label": name, title: name });
    });
    return element("li", {}, element("span", { text: found.name, title: found.name }), ...buttons);
  }

  /**
   * @param {Found} found
   * @param {string} kind
   * @param {HTMLButtonElement} pressed
   */
  async take(found, kind, pressed) {
    const { model, page, words } = this.data;
    // the page may have redrawn it since the menu opened
    const now = found.node.isConnected ? found : find(model, page).find((each) => each.file === found.file);
    if (!now) return this.say(words.changed.replace("{name}", found.name));
    await this.make(`${now.file}.${kind.toLowerCase()}`, pressed, async () => {
      if (kind === "PNG") return asPng(now);
      if (kind === "SVG") return new Blob([await asSvg(now)], { type: "image/svg+xml" });
      return new Blob([csv(/** @type {HTMLTableElement} */ (now.node))], { type: "text/csv" });
    });
  }

  // A file made by the server: meanwhile the button shows a spinner, and an error is shown as text.
  file({ label, file, icon, at }) {
    const sign = element("span", { class: "icon", "aria-hidden": "true", text: icon.split(/[/:]+/).at(-2) });
    const fetched = async () => {
      const response = await fetch(new URL(at, ROOT));
      if (response.ok) return response.blob();
      if ([422, 429].includes(response.status)) throw new Said(await response.text());
      throw new Said(response.status === 404 ? this.data.words.gone : this.data.words.failed.replace("{file}", file));
    };
    const attributes = {
      type: "button",
      class: "file",
      onclick: (event) => this.make(file, event.currentTarget, fetched),
    };
    return element("li", {}, element("button", attributes, sign, element("span", { text: label })));
  }

  /**
   * @param {string} file
   * @param {HTMLButtonElement} pressed
   * @param {() => Promise<Blob>} made
   */
  async make(file, pressed, made) {
    if (pressed.getAttribute("aria-busy") === "true") return;
    const { words } = this.data;
    pressed.setAttribute("aria-busy", "true");
    this.say(words.making.replace("{file}", file));
    try {
      save(await made(), file);
      this.say(words.made.replace("{file}", file));
    } catch (error) {
      this.say(error instanceof Said ? error.message : words.failed.replace("{file}", file));
      if (!(error instanceof Said || error instanceof TypeError)) throw error;
    } finally {
      pressed.removeAttribute("aria-busy");
    }
  }

  /** @param {string} sentence */
  say(sentence) {
    this.says.textContent = sentence;
  }
}

// An error with a message for the user.
class Said extends Error {}

/**
 * @param {Blob} content
 * @param {string} file
 */
function save(content, file) {
  const href = URL.createObjectURL(content);
  element("a", { href, download: file }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
