// Asks the server whether the lecturer of a class has moved on; only then does a part of the page run.

import { ROOT } from "./dom.js";

const OFTEN = 700; // milliseconds from an answer to the next question
const AGAIN = 10_000; // until the same is said once more: the server may be busy, or may not have heard

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".lead");
  parentElement.host?.style.setProperty("display", "none");
  root.news ??= new News();
  root.news.known = data.known;
  root.news.tell = (text) => setTriggerValue("news", text);
  root.news.begin();
  return () => root.news.end();
}

class News {
  /** What the page shows: when leading began and a version, or, where it does not follow, the first alone. */
  known = "";
  /** @type {(text: string) => void} */
  tell = () => {};
  told = "";
  when = 0;

  /** @type {ReturnType<typeof setTimeout> | 0} */
  timer = 0;

  begin() {
    this.timer ||= setTimeout(() => this.ask(), OFTEN);
  }

  async ask() {
    const text = await fetch(new URL("classroom/lead", ROOT), { cache: "no-store" }).then(
      (answer) => (answer.ok ? answer.text() : null),
      () => null, // the server is away; Streamlit says so
    );
    if (this.timer) this.timer = setTimeout(() => this.ask(), OFTEN);
    if (text === null || !this.timer) return;
    const seen = this.known.includes(" ") ? text : text.split(" ")[0];
    if (seen === this.known || (text === this.told && performance.now() - this.when < AGAIN)) return;
    this.told = text;
    this.when = performance.now();
    this.tell(text);
  }

  end() {
    clearTimeout(this.timer);
    this.timer = 0;
  }
}
