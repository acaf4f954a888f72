// Small helpers of all components.

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter(Boolean));
  return node;
}

// Something that is to be said when the hand rests, at the latest before the hand does something else on the page.
class Later {
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

// A component about one model: `begin` when the model has come, anew for another model or language, else `adopt`.
class Follower {
  constructor(root) {
    this.root = root;
    this.count = 0; // the last report, so that an answer to an older one is known as such
  }

  told(data, report) {
    this.report = report;
    const first = this.data?.model !== data.model || wordsOf(this.data) !== wordsOf(data);
    this.data = data;
    if (first) {
      this.model = null;
      whenModel(data.model, (model) => { if (model.key === this.data.model) this.begin(model); });
    } else if (this.model) this.adopt();
  }

  begin(model) {
    this.model = model;
    this.build();
    this.adopt();
  }

  reportPlace() {
    this.report("chosen", { n: this.count, row: null, z: [...this.z].map((v) => +v.toFixed(4)) });
  }
}

// All the words of a component: what is built with them is built anew when the language changes.
const wordsOf = (data) => JSON.stringify([data?.words, data?.classes]);

const sayNumber = (value, digits = 2) => value.toFixed(digits).replace("-", "−");

function rgb(colour) {
  const n = parseInt(colour.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

// Grey pixels in [0, 1] into the bytes of an image.
function paint(bytes, values) {
  for (let i = 0; i < values.length; i++) {
    const level = Math.min(Math.max(values[i], 0), 1) * 255;
    bytes[4 * i] = bytes[4 * i + 1] = bytes[4 * i + 2] = level;
    bytes[4 * i + 3] = 255;
  }
}
