// Marks on a plane: rings and crosses at points, and ellipses at one and two standard deviations.

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
      if (shape === "ring") context.arc(x, y, 7, 0, 2 * Math.PI);
      if (shape === "cross") {
        for (const [dx, dy] of [
          [1, 0],
          [-1, 0],
          [0, 1],
          [0, -1],
        ]) {
          context.moveTo(x + 4 * dx, y + 4 * dy);
          context.lineTo(x + 11 * dx, y + 11 * dy);
        }
      }
      context.stroke();
    }
  }
}
