// Polls the server for changes of the lecturer's screen, and reruns a part of the page only then.

import { ROOT } from "./dom.js";

const OFTEN = 700; // milliseconds between an answer and the next poll
const AGAIN = 10_000; // milliseconds until a report is repeated, in case the server was busy or did not receive it

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
  /** The state of the page: when leading began and a version, or only the first if it does not follow. */
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
      () => null, // the connection is lost, which is reported elsewhere
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
