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
