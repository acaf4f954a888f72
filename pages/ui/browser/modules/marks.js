// Marks on a plane: symbols at points, and ellipses at one and two standard deviations.
// A ring is the point under the pointer, a target the selected image, a cross the selected latent, a hand our own pointer.

const ROUND = { ring: 7, target: 7, hand: 5 }; // radius, px
const RAYS = { target: [7, 14], cross: [4, 11] }; // from and to, px
const TURNS = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
];

export function drawMarks(plane, context) {
  for (const { a, b, covariance, colour, shape } of plane.marks) {
    const [x, y] = plane.screen(a, b);
    context.lineWidth = 2;
    if (covariance) {
      const [aa, ab, bb] = covariance;
      const middle = (aa + bb) / 2;
      const off = Math.hypot((aa - bb) / 2, ab);
      const turn = 0.5 * Math.atan2(2 * ab, aa - bb);
      for (const times of [1, 2]) {
        const wide = times * Math.sqrt(middle + off) * plane.view.scale;
        const high = times * Math.sqrt(Math.max(middle - off, 0)) * plane.view.scale;
        for (const [stroke, width] of [
          [plane.paper, 4],
          [colour, 3 - times],
        ]) {
          context.strokeStyle = stroke;
          context.lineWidth = width + 0.5;
          context.beginPath();
          context.ellipse(x, y, wide, high, -turn, 0, 2 * Math.PI);
          context.stroke();
        }
      }
    }
    for (const [stroke, width] of [
      [plane.paper, 5],
      [plane.ink, 2.5],
    ]) {
      context.strokeStyle = stroke;
      context.lineWidth = width;
      context.beginPath();
      if (shape in ROUND) context.arc(x, y, ROUND[shape], 0, 2 * Math.PI);
      const [from, to] = RAYS[shape] ?? [0, 0];
      for (const [dx, dy] of TURNS) {
        context.moveTo(x + from * dx, y + from * dy);
        context.lineTo(x + to * dx, y + to * dy);
      }
      context.stroke();
    }
  }
}
