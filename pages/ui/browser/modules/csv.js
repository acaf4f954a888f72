// Converts a table of the page to CSV.

const NUMBER = "[-+]?(?:\\d{1,3}(?:,\\d{3})+|\\d+)(?:\\.\\d+)?(?:e[-+]?\\d+)?";
const WHOLE = new RegExp(`^(${NUMBER})\\s*(%?)(?:\\s*±\\s*(${NUMBER})\\s*%?)?$`);

/** @typedef {{ text: string, value?: string, share?: boolean, error?: string }} Cell the text, and the number in it */

/**
 * The rows as shown, with machine-readable numbers: "−1,234.5" becomes -1234.5, and the two numbers of "80.1% ± 1.3%"
 * get separate columns, with the sign in the heading. Includes a byte order mark, without which Excel reads "σ" as two
 * Latin letters; other spreadsheets and pandas ignore it.
 * @param {HTMLTableElement} table
 */
export function csv(table) {
  const rows = [...table.rows].map((row) => [...row.cells].map(read));
  const heads = rows.length && [...table.rows[0].cells].every((cell) => cell.tagName === "TH") ? 1 : 0;
  const columns = [...Array(Math.max(0, ...rows.map((row) => row.length))).keys()].map((i) => {
    const cells = rows.slice(heads).flatMap((row) => (row[i]?.text ? [row[i]] : []));
    const numbers = cells.filter((cell) => cell.value !== undefined);
    const alike = new Set(numbers.map((cell) => cell.share)).size === 1;
    const split = alike && numbers.some((cell) => cell.error !== undefined);
    return { split, share: alike && numbers[0].share && (split || numbers.length === cells.length) };
  });
  /** @type {string[][]} */
  const lines = rows.map((row, r) =>
    row.flatMap((cell, i) => {
      const { split, share } = columns[i];
      const asItStands = cell.value === undefined || (cell.share && !share) || (cell.error !== undefined && !split);
      if (r >= heads) return [asItStands ? cell.text : (cell.value ?? ""), ...(split ? [cell.error ?? ""] : [])];
      const name = share && !cell.text.endsWith("%") ? `${cell.text}, %` : cell.text;
      return split ? [name, `${name} (±)`] : [name];
    }),
  );
  return `\ufeff${lines.map((line) => line.map(quoted).join(",")).join("\r\n")}\r\n`;
}

/**
 * @param {HTMLElement} cell
 * @returns {Cell}
 */
function read(cell) {
  const copy = /** @type {HTMLElement} */ (cell.cloneNode(true));
  for (const each of copy.querySelectorAll(".katex"))
    each.replaceWith(each.querySelector("annotation")?.textContent ?? each.textContent ?? "");
  const text = (copy.textContent ?? "").replace(/\s+/g, " ").trim();
  const found = WHOLE.exec(text.replace(/^−(?=[\d.])/, "-"));
  if (!found) return { text };
  const [value, error] = [found[1], found[3]].map((each) => each?.replaceAll(",", ""));
  return { text, value, share: found[2] === "%", error };
}

/** @param {string} text */
const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
