// A map as high as the window has room for, under what stands above it.

const RIM = 34; // px under the plane: the name of its axis, and the edge of the window
const LEAST = 300; // px; a lower window scrolls

/**
 * Keeps the height of a stage, which the style knows as `--room`, at what the window has left for it.
 * @param {HTMLElement} root - of the component
 * @param {HTMLElement} stage
 * @param {HTMLElement} side - what stands beside the stage or, where there is little room, below it
 * @returns {() => void} what ends that
 */
export function fillWindow(root, stage, side) {
  const page = document.querySelector("[data-testid=stMainBlockContainer]") ?? document.body;
  const fit = () => {
    const { top, bottom } = stage.getBoundingClientRect();
    const scrolled = page.parentElement?.scrollTop || scrollY;
    const below = side.getBoundingClientRect().top >= bottom ? side.offsetHeight : 0;
    const room = Math.round(Math.max(innerHeight - top - scrolled - below - RIM, LEAST));
    root.style.setProperty("--room", `${room}px`);
  };
  const watched = new ResizeObserver(fit);
  watched.observe(page); // what stands above may change
  addEventListener("resize", fit);
  fit();
  return () => {
    watched.disconnect();
    removeEventListener("resize", fit);
  };
}
