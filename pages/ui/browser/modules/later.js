// Something that is to be said when the hand rests, at the latest before the hand does something else on the page.
export class Later {
  constructor(say) {
    this.say = say;
    this.now = () => {
      if (!this.timer) return;
      clearTimeout(this.timer);
      this.timer = 0;
      this.say();
    };
    addEventListener("pointerdown", this.now, true);
    addEventListener("pagehide", this.now);
  }

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
