// The visible part of a plane: its centre, and its scale in pixels per unit; it can be zoomed and panned.

const GAP = 46; // px around the points in the first view

export class Viewport {
  constructor() {
    /** @type {{ x: number, y: number, scale: number } | null} */
    this.view = null; // until the size and the points are known
    this.home = this.view; // the view that showed all, for as long as it is the one
    this.width = 0;
    this.height = 0;
    this.first = 1; // the scale that shows all points
  }

  // The view; it must exist.
  get seen() {
    if (!this.view) throw new Error("The plane has no view yet.");
    return this.view;
  }

  // Called whenever the view has changed.
  moved() {}

  /**
   * Shows all points from low to high.
   * @param {number[]} low
   * @param {number[]} high
   */
  frame(low, high) {
    const scale = Math.min((this.width - GAP) / (high[0] - low[0]), (this.height - GAP) / (high[1] - low[1]));
    this.view = { x: (low[0] + high[0]) / 2, y: (low[1] + high[1]) / 2, scale };
    this.home = this.view;
    this.first = scale;
    this.moved();
  }

  /**
   * Whether all points (across, up) are in the view, and the view is not much too wide.
   * @param {Float32Array} across
   * @param {Float32Array} up
   */
  holds(across, up) {
    const [left, top] = this.place(0, 0);
    const [right, bottom] = this.place(this.width, this.height);
    let [low, high] = [Infinity, -Infinity];
    for (let n = 0; n < across.length; n++) {
      const [a, b] = [across[n], up[n]];
      if (a < left || a > right || b < bottom || b > top) return false;
      [low, high] = [Math.min(low, a), Math.max(high, a)];
    }
    return right - left < 6 * Math.max(high - low, 2);
  }

  /** @param {number} factor */
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    if (!this.view) return;
    const scale = Math.min(Math.max(this.view.scale * factor, this.first / 4), this.first * 2000);
    const [a, b] = this.place(px, py);
    this.view = { x: a - (px - this.width / 2) / scale, y: b + (py - this.height / 2) / scale, scale };
    this.moved();
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  pan(dx, dy) {
    if (!this.view) return;
    const { x, y, scale } = this.view;
    this.view = { x: x - dx / scale, y: y + dy / scale, scale };
    this.moved();
  }

  /**
   * Moves the view as little as is needed to show a point.
   * @param {number} a
   * @param {number} b
   */
  show(a, b) {
    if (!this.view) return;
    const [px, py] = this.screen(a, b);
    const rim = 24;
    const dx = Math.min(Math.max(px, rim), this.width - rim) - px;
    const dy = Math.min(Math.max(py, rim), this.height - rim) - py;
    if (dx || dy) this.pan(dx, dy);
  }

  /**
   * @param {number} px
   * @param {number} py
   * @returns {[number, number]}
   */
  place(px, py) {
    const { x, y, scale } = this.seen;
    return [x + (px - this.width / 2) / scale, y - (py - this.height / 2) / scale];
  }

  /**
   * @param {number} a
   * @param {number} b
   * @returns {[number, number]}
   */
  screen(a, b) {
    const { x, y, scale } = this.seen;
    return [this.width / 2 + (a - x) * scale, this.height / 2 - (b - y) * scale];
  }
}
