// Moves the pointer of an untouched map by itself, to demonstrate what moving over it does.

import { button } from "./controls.js";
import { isNew, over } from "./newcomer.js";

const ROUND = 24_000; // period of the path, milliseconds
const GENTLY = 3000; // milliseconds from the current latent to the path
const REACH = 0.2; // size of the path around the origin, as a fraction of the plane; codes of all classes lie there
const OFTEN = 30; // minimum interval between two pictures, milliseconds
const PASSING = ["Tab", "Shift"]; // keys with which one passes by
const STILL = "(prefers-reduced-motion: reduce)";

/**
 * Moves until the map is first touched or the button is pressed, and then never again in this browser.
 * @param {any} map
 * @returns {() => void} a function that stops it earlier
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
    const held = pause.matches(":focus");
    pause.remove();
    if (held) stage.focus();
    map.look(null);
  };
  const touch = () => {
    over("map");
    end();
  };
  const { words } = map.data;
  const pause = button(words.pause, touch, { class: "pause", title: words.pause_help });
  stage.before(pause); // where the Tab key meets it before the map
  const how = { capture: true, signal: touched.signal }; // before the map handles the event
  for (const kind of ["pointermove", "wheel"]) stage.addEventListener(kind, touch, { ...how, passive: true });
  root.addEventListener("pointerdown", touch, how);
  root.addEventListener("keydown", ({ key }) => !PASSING.includes(key) && touch(), how);
  frame = requestAnimationFrame(step);
  return end;
}
