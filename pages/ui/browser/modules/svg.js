// SVG drawings with parts that can be dragged by pointer and keys.

/**
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElementTagNameMap[T]}
 */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export const line = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");

/**
 * An arrow from a point along [dx, dy], with up positive.
 * @param {number} x
 * @param {number} y
 * @param {[number, number]} way
 * @param {Record<string, any>} attributes
 */
export function arrow(x, y, [right, up], attributes) {
  const [dx, dy] = [right, -up];
  const length = Math.hypot(dx, dy);
  const [ux, uy] = length ? [dx / length, dy / length] : [0, 0];
  const head = Math.min(8, length / 2);
  const tip = [x + dx, y + dy];
  const wing = (side) =>
    `L${tip[0] - head * ux - side * head * 0.5 * uy} ${tip[1] - head * uy + side * head * 0.5 * ux}`;
  return svg("path", { d: `M${x} ${y}L${tip[0]} ${tip[1]}${wing(1)}M${tip[0]} ${tip[1]}${wing(-1)}`, ...attributes });
}

// A draggable knob: calls move(px, py) while it is dragged, and step(dx, dy) for arrow keys, small steps with Shift.
export class Knob {
  constructor(canvas, name, colour, { move, step, end = () => {} }) {
    this.mark = svg("circle", { r: 8, fill: colour, class: "knob" });
    this.node = svg(
      "g",
      { role: "slider", tabindex: 0, "aria-label": name, "aria-valuenow": 0 },
      svg("circle", { r: 20, fill: "transparent" }),
      this.mark,
    );
    canvas.append(this.node);
    this.node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.node.focus({ preventScroll: true });
      this.node.setPointerCapture(event.pointerId);
      const box = canvas.getBoundingClientRect();
      const follow = (moved) => move(moved.clientX - box.left, moved.clientY - box.top);
      const done = () => {
        this.node.removeEventListener("pointermove", follow);
        end();
      };
      this.node.addEventListener("pointermove", follow);
      this.node.addEventListener("lostpointercapture", done, { once: true });
    });
    this.node.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!way) return;
      event.preventDefault();
      const size = event.shiftKey ? 0.01 : 0.1;
      step(way[0] * size, way[1] * size);
      end();
    });
  }

  at(x, y, value, low, high, says) {
    this.node.setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)})`);
    const stated = {
      "aria-valuenow": value.toFixed(2),
      "aria-valuemin": low,
      "aria-valuemax": high,
      "aria-valuetext": says,
    };
    for (const [name, text] of Object.entries(stated)) this.node.setAttribute(name, text);
  }
}
