// The pointer of a map that nobody has touched yet moves by itself, so that one sees what a hand would do.

import { isNew, over } from "./newcomer.js";

const ROUND = 24_000; // milliseconds
const GENTLY = 3000; // milliseconds from the place in use onto the path
const REACH = 0.2; // of the plane, around its origin, where codes are of every kind
const OFTEN = 30; // milliseconds between two pictures, at least
const STILL = "(prefers-reduced-motion: reduce)";

/**
 * Moves until the map is touched for the first time, in this browser for good.
 * @param {any} map
 * @returns {() => void} what ends it meanwhile
 */
export function wander(map) {
  const { root, stage, plane, model } = map;
  if (!map.data.welcome || !isNew("map") || !model.decode || matchMedia(STILL).matches) return () => {};
  const touched = new AbortController();
  let [frame, begun, last] = [0, 0, 0];
  const step = (now) => {
    frame = requestAnimationFrame(step);
    begun ||= now;
    if (now - last < OFTEN || !plane.view) return;
    last = now;
    const turn = (2 * Math.PI * (now - begun)) / ROUND;
    const share = Math.min((now - begun) / GENTLY, 1);
    const reach = REACH * Math.min(plane.width, plane.height);
    const [fromX, fromY] = plane.screen(...plane.project(map.z));
    const [x, y] = plane.screen(0, 0);
    const across = share * (x + reach * Math.sin(2 * turn) - fromX);
    const down = share * (y + reach * Math.sin(3 * turn) - fromY);
    const [a, b] = plane.place(fromX + across, fromY + down);
    map.look({ a, b, row: -1 });
  };
  const end = () => {
    if (touched.signal.aborted) return;
    touched.abort();
    cancelAnimationFrame(frame);
    map.look(null);
  };
  const touch = () => {
    over("map");
    end();
  };
  const how = { capture: true, signal: touched.signal }; // before the map itself hears of it
  for (const kind of ["pointermove", "wheel"]) stage.addEventListener(kind, touch, { ...how, passive: true });
  for (const kind of ["pointerdown", "keydown"]) root.addEventListener(kind, touch, how);
  frame = requestAnimationFrame(step);
  return end;
}
