// Places labels in a picture without overlaps: at their anchors or, where these are crowded, nearby.

/**
 * @typedef {{ x: number, y: number, wide: number, tall: number }} Label - its anchor, and half its size, px
 * @typedef {{ left: number, right: number, top: number, bottom: number }} Box
 */

const APART = 3; // px between two labels
const DOT = 3; // px kept free around the anchor of a label
const STEP = 5; // px between two rings of candidates
const FARTHEST = 160; // maximum displacement of a label, px
const TURNS = 16; // candidates on a ring

/** @type {(middle: [number, number], wide: number, tall: number) => Box} */
export const boxAround = ([x, y], wide, tall) => ({ left: x - wide, right: x + wide, top: y - tall, bottom: y + tall });

/**
 * Gives each label the nearest free position to its anchor, starting in the middle, so that other labels move outwards;
 * the result is deterministic. As far as there is room, no label covers another label, the anchor of another, or a line
 * from a label to its anchor.
 * @param {Label[]} labels
 * @param {number} width - of the picture, px
 * @param {number} height
 * @param {Box[]} [taken] - areas that labels must not cover
 * @returns {([number, number] | null)[]} their centres; null if there is no room, or the anchor is not visible
 */
export function layOut(labels, width, height, taken = []) {
  const seen = labels.flatMap(({ x, y }, i) => (x >= 0 && y >= 0 && x <= width && y <= height ? [i] : []));
  const mean = (pick) => seen.reduce((sum, i) => sum + pick(labels[i]), 0) / Math.max(seen.length, 1);
  const [cx, cy] = [mean(({ x }) => x), mean(({ y }) => y)];
  const off = (i) => Math.hypot(labels[i].x - cx, labels[i].y - cy);
  const dots = labels.map(({ x, y }) => boxAround([x, y], DOT, DOT));
  const boxes = /** @type {Box[]} */ ([]);
  const lines = /** @type {[[number, number], [number, number]][]} */ ([]);
  const found = /** @type {([number, number] | null)[]} */ (labels.map(() => null));
  const place = (i, free) => {
    const { x, y, wide, tall } = labels[i];
    for (const [dx, dy] of candidates(Math.atan2(y - cy, x - cx))) {
      /** @type {[number, number]} */
      const middle = [x + dx, y + dy];
      const box = boxAround(middle, wide + APART, tall + APART);
      if (box.left < 0 || box.top < 0 || box.right > width || box.bottom > height) continue;
      if ([...taken, ...boxes].some((other) => overlap(box, other)) || !free(i, middle, box)) continue;
      found[i] = middle;
      boxes.push(boxAround(middle, wide, tall));
      if (dx || dy) lines.push([[x, y], middle]);
      return;
    }
  };
  const clear = (i, middle, box) =>
    !dots.some((dot, other) => other !== i && overlap(box, dot)) &&
    !lines.some(([from, to]) => crosses(from, to, box)) &&
    !boxes.some((other) => crosses([labels[i].x, labels[i].y], middle, other));
  seen.sort((one, other) => off(one) - off(other) || one - other);
  for (const i of seen) place(i, clear);
  for (const i of seen) if (!found[i]) place(i, () => true);
  return found;
}

// Candidate displacements of a label, the smallest first, and of equal ones those outwards first.
/** @param {number} outwards - an angle */
function* candidates(outwards) {
  yield [0, 0];
  for (let ring = STEP; ring <= FARTHEST; ring += STEP) {
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
