// Hints that a browser shows until they have been seen once.

/** @param {string} what */
const key = (what) => `vae-explorer.${what}`;

/**
 * Whether this browser has not seen something yet. Automated browsers are newcomers only with "new" in their storage;
 * without storage, no browser is one.
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

/** @param {string} what - not to be shown again */
export function over(what) {
  try {
    localStorage.setItem(key(what), "over");
  } catch {
    // without storage it was never shown
  }
}
