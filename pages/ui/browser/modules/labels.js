// Places labels in a picture without overlaps: at their anchors or, where these are crowded, nearby.

/**
 * @typedef {{ x: number, y: number, wide: number, tall: number, far?: number }} Label - its anchor, half its size, and
 *   the largest displacement, px
 * @typedef {{ left: number, right: number, top: number, bottom: number }} Box
 */

const APART = 3; // px between two labels
const DOT = 3; // px kept free around the anchor of a label
const STEP = 5; // px between two rings of candidates
const FARTHEST = 160; // maximum displacement of a label, px
const TURNS = 16; // candidates on a ring
const TRIES = 12; // orders in which labels are placed, at most

/** @type {(middle: [number, number], wide: number, tall: number) => Box} */
export const boxAround = ([x, y], wide, tall) => ({ left: x - wide, right: x + wide, top: y - tall, bottom: y + tall });

/**
 * Gives each label the nearest free position to its anchor, starting in the middle, so that other labels move outwards;
 * the result is deterministic. No label covers another; as far as there is room, none covers a line from a label to its
 * anchor, or the anchor of another. Labels for which there was no room are placed first in another try.
 * @param {Label[]} labels
 * @param {number} width - of the picture, px
 * @param {number} height
 * @param {Box[]} [taken] - areas that labels must not cover
 * @returns {([number, number] | null)[]} their centres; null if there is no room, or the anchor is not visible
 */
export function layOut(labels, width, height, taken = []) {
  const seen = labels.flatMap(({ x, y }, i) => (x >= 0 && y >= 0 && x <= width && y <= height ? [i] : []));
  const mean = (pick) => seen.reduce((sum, i) => sum + pick(labels[i]), 0) / Math.max(seen.length, 1);
  /** @type {[number, number]} */
  const centre = [mean(({ x }) => x), mean(({ y }) => y)];
  const off = (i) => Math.hypot(labels[i].x - centre[0], labels[i].y - centre[1]);
  let order = [...seen].sort((one, other) => off(one) - off(other) || one - other);
  let best = placed(labels, width, height, taken, centre, order);
  let last = best;
  for (let n = 1; n < TRIES && last.squeezed.length; n++) {
    const { squeezed } = last;
    order = [...squeezed, ...order.filter((i) => !squeezed.includes(i))];
    last = placed(labels, width, height, taken, centre, order);
    if (last.cost < best.cost) best = last;
  }
  return best.found;
}

/**
 * Places labels in an order. Returns also those without a clear position, and the cost, highest for crossed labels.
 * @param {Label[]} labels
 * @param {number} width
 * @param {number} height
 * @param {Box[]} taken
 * @param {[number, number]} centre
 * @param {number[]} order
 */
function placed(labels, width, height, taken, [cx, cy], order) {
  const dots = labels.map(({ x, y }) => boxAround([x, y], DOT, DOT));
  const boxes = /** @type {Box[]} */ ([]);
  const lines = /** @type {[[number, number], [number, number]][]} */ ([]);
  const found = /** @type {([number, number] | null)[]} */ (labels.map(() => null));
  const place = (i, free) => {
    const { x, y, wide, tall, far } = labels[i];
    for (const [dx, dy] of candidates(Math.atan2(y - cy, x - cx), Math.min(far ?? FARTHEST, FARTHEST))) {
      /** @type {[number, number]} */
      const middle = [x + dx, y + dy];
      const box = boxAround(middle, wide + APART, tall + APART);
      if (box.left < 0 || box.top < 0 || box.right > width || box.bottom > height) continue;
      const covers = (other) => overlap(box, other);
      if (taken.some(covers) || boxes.some(covers) || !free(i, middle, box)) continue;
      found[i] = middle;
      boxes.push(boxAround(middle, wide, tall));
      if (dx || dy) lines.push([[x, y], middle]);
      return;
    }
  };
  const uncrossed = (i, middle, box) =>
    !lines.some(([from, to]) => crosses(from, to, box)) &&
    !boxes.some((other) => crosses([labels[i].x, labels[i].y], middle, other));
  const clear = (i, middle, box) =>
    !dots.some((dot, other) => other !== i && overlap(box, dot)) && uncrossed(i, middle, box);
  for (const i of order) place(i, clear);
  const squeezed = order.filter((i) => !found[i]);
  for (const i of squeezed) place(i, uncrossed);
  const crossed = squeezed.filter((i) => !found[i]);
  for (const i of crossed) place(i, () => true);
  return { found, squeezed, cost: squeezed.length + labels.length * crossed.length };
}

// Candidate displacements of a label, the smallest first, and of equal ones those outwards first.
/**
 * @param {number} outwards - an angle
 * @param {number} far
 */
function* candidates(outwards, far) {
  yield [0, 0];
  for (let ring = STEP; ring <= far; ring += STEP) {
    for (let turn = 0; turn < TURNS; turn++) {
      const side = turn % 2 ? 1 : -1;
      const angle = outwards + (side * Math.ceil(turn / 2) * 2 * Math.PI) / TURNS;
      yield [ring * Math.cos(angle), ring * Math.sin(angle)];
    }
  }
}

/** @type {(one: Box, other: Box) => boolean} */
const overlap = (one, other) =>
  one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;

/** @type {(from: [number, number], to: [number, number], box: Box) => boolean} */
function crosses([x, y], [u, v], { left, right, top, bottom }) {
  let [enters, leaves] = [0, 1];
  for (const [start, end, low, high] of [
    [x, u, left, right],
    [y, v, top, bottom],
  ]) {
    if (start === end && (start < low || start > high)) return false;
    if (start === end) continue;
    const ends = [(low - start) / (end - start), (high - start) / (end - start)];
    enters = Math.max(enters, Math.min(...ends));
    leaves = Math.min(leaves, Math.max(...ends));
  }
  return enters <= leaves;
}
