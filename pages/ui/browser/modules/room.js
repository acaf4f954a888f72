// Makes a map as high as the rest of the window allows.

const RIM = 34; // px below the plane, for the title of its axis and the margin of the window
const LEAST = 300; // px; smaller windows scroll

/**
 * Keeps the CSS variable `--room`, the height of a stage, equal to the height left in the window.
 * @param {HTMLElement} root - of the component
 * @param {HTMLElement} stage
 * @param {HTMLElement} side - the element beside the stage or, on narrow screens, below it
 * @returns {() => void} a function that stops it
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
  watched.observe(page); // the elements above may change
  addEventListener("resize", fit);
  fit();
  return () => {
    watched.disconnect();
    removeEventListener("resize", fit);
  };
}
