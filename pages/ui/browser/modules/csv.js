// A table of the page as CSV.

const GROUPED = /^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$/;

/**
 * The rows as they stand, numbers as programs read them: "−1,234.5" becomes -1234.5. With a byte order mark, without
 * which Excel takes "σ" for two letters of a Western alphabet; other spreadsheets and pandas pass over it.
 * @param {HTMLTableElement} table
 */
export function csv(table) {
  const rows = [...table.rows].map((row) => [...row.cells].map((cell) => quoted(plain(cell))).join(","));
  return `\ufeff${rows.join("\r\n")}\r\n`;
}

/** @param {HTMLElement} cell */
function plain(cell) {
  const copy = /** @type {HTMLElement} */ (cell.cloneNode(true));
  for (const each of copy.querySelectorAll(".katex"))
    each.replaceWith(each.querySelector("annotation")?.textContent ?? each.textContent ?? "");
  const text = (copy.textContent ?? "").replace(/\s+/g, " ").trim();
  const number = text.replace(/^−(?=[\d.])/, "-");
  return GROUPED.test(number) ? number.replaceAll(",", "") : number;
}

/** @param {string} text */
const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
