// Delays a report until the pointer rests, or until another action on the page.
export class Later {
  /** @type {ReturnType<typeof setTimeout> | 0} */
  timer;

  /** @param {() => void} say */
  constructor(say) {
    this.say = say;
    this.timer = 0;
    this.now = () => {
      if (!this.timer) return;
      clearTimeout(this.timer);
      this.timer = 0;
      this.say();
    };
    addEventListener("pointerdown", this.now, true);
    addEventListener("pagehide", this.now);
  }

  /** @param {number} rest - in milliseconds */
  soon(rest) {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.now, rest);
  }

  end() {
    this.now();
    removeEventListener("pointerdown", this.now, true);
    removeEventListener("pagehide", this.now);
  }
}
