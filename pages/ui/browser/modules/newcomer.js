// What a browser is shown until it has been seen or done once.

/** @param {string} what */
const key = (what) => `vae-explorer.${what}`;

/**
 * Whether this browser has yet to see or do something. Programs that drive a browser are newcomers only where they say
 * so, with "new" in its storage; where nothing can be kept, nobody is one.
 * @param {string} what
 */
export function isNew(what) {
  try {
    const kept = localStorage.getItem(key(what));
    return kept === "new" || (kept === null && !navigator.webdriver);
  } catch {
    return false;
  }
}

/** @param {string} what - that is over for good */
export function over(what) {
  try {
    localStorage.setItem(key(what), "over");
  } catch {
    // then it was not begun
  }
}
