// The drawings of one training step: pixels, the plane of samples, and the loss.

import { sharp } from "./bars.js";
import { brush, paint, sayNumber } from "./dom.js";

export const nats = (v) => sayNumber(v, 1);

// A mean or an image; or sigma, if `top` is given, which has the brightest colour.
export function drawPixels(canvas, values, { width, height, sigma_colours }, top) {
  [canvas.width, canvas.height] = [width, height];
  const picture = brush(canvas);
  const image = picture.createImageData(width, height);
  if (top)
    values.forEach((v, i) => {
      const at = 3 * Math.min(255, Math.max(0, Math.round((255 * v) / top)));
      image.data.set([...sigma_colours.slice(at, at + 3), 255], 4 * i);
    });
  else paint(image.data, values);
  picture.putImageData(image, 0, 0);
}

// The plane of two coordinates: the prior, q(z|x), and the noise that leads from its mean to z.
export function drawPlane(canvas, { axes, mean, deviation, drawn, z, names, colours }, small = false) {
  const { pen, width, height, ink } = sharp(canvas);
  const [a, b] = axes;
  const line = a === b;
  const of = (v) => [v[a], line ? 0 : v[b]];
  const centre = of(mean);
  const spread = of(deviation);
  const size = Math.min(width, height) / 2;
  const reach =
    1.1 * Math.max(2.2, ...z.flatMap(of).map(Math.abs), ...centre.map((v, i) => Math.abs(v) + 2 * spread[i]));
  const [x, y] = [(v) => width / 2 + (v / reach) * size, (v) => height / 2 - (v / reach) * size];
  const oval = (at, radii, colour, alpha) => {
    pen.globalAlpha = alpha;
    pen.strokeStyle = colour;
    pen.lineWidth = small ? 1 : 1.5;
    pen.beginPath();
    pen.ellipse(
      x(at[0]),
      y(at[1]),
      Math.max((radii[0] / reach) * size, 0.5),
      Math.max((radii[1] / reach) * size, 0.5),
      0,
      0,
      7,
    );
    pen.stroke();
    pen.globalAlpha = 1;
  };
  for (const r of [1, 2]) oval([0, 0], [r, r], colours.prior, 0.8);
  if (drawn)
    for (const r of [1, 2])
      oval(
        centre,
        spread.map((v) => r * v),
        colours.encoder,
        1,
      );
  pen.fillStyle = colours.encoder;
  pen.fillRect(x(centre[0]) - 2, y(centre[1]) - 2, 4, 4);
  pen.strokeStyle = pen.fillStyle = ink;
  z.slice()
    .reverse()
    .forEach((draw, i) => {
      const [right, up] = of(draw);
      const now = i === z.length - 1;
      pen.globalAlpha = now ? 1 : 0.4;
      if (drawn && now) {
        pen.lineWidth = small ? 1 : 2;
        pen.beginPath();
        pen.moveTo(x(centre[0]), y(centre[1]));
        pen.lineTo(x(right), y(up));
        pen.stroke();
      }
      pen.beginPath();
      pen.arc(x(right), y(up), small ? 2.5 : 4.5, 0, 7);
      pen.fill();
    });
  pen.globalAlpha = 1;
  if (small) return;
  pen.textAlign = "center";
  pen.fillText(names[a], width / 2, height - 6);
  if (!line) pen.fillText(names[b], 12, height / 2);
  pen.textAlign = "left";
  pen.fillText("z", x(of(z[0])[0]) + 8, y(of(z[0])[1]) - 6);
  pen.fillStyle = colours.encoder;
  pen.textAlign = "right";
  pen.fillText("μ", x(centre[0]) - 7, y(centre[1]) + 10);
}

// Reconstruction, KL and their sum, each a bar from 0.
export function drawLosses(canvas, { losses: values, colours, words }, small = false) {
  const { pen, width, height, ink } = sharp(canvas);
  const shades = [colours.reconstruction, colours.kl, colours.elbo];
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const room = small ? 2 : 14;
  const x = (v) => room + ((v - low) / (high - low || 1)) * (width - 2 * room);
  const tall = height / 3;
  values.forEach((v, i) => {
    pen.fillStyle = shades[i];
    const [from, to] = [Math.min(x(0), x(v)), Math.max(x(0), x(v))];
    const top = i * tall + (small ? 3 : 20);
    pen.fillRect(from, top, Math.max(to - from, 2), tall - (small ? 6 : 26));
    pen.fillStyle = ink;
    if (!small) pen.fillText(`${words[["reconstruction", "kl", "loss"][i]]}  ${nats(v)}`, room, i * tall + 14);
  });
  pen.globalAlpha = 0.5;
  pen.fillRect(x(0), 0, 1, height);
  pen.globalAlpha = 1;
}
