// The page's fonts, to be embedded in a drawing: in another font, texts would not fit.

/** @type {Map<string, Promise<string>>} */
const FETCHED = new Map();

/**
 * Returns CSS rules with embedded fonts, for those fonts of the page that a drawing uses.
 * @param {string} drawing - SVG text
 */
export async function fontsFor(drawing) {
  const rules = [...document.styleSheets].flatMap((sheet) => faces(sheet));
  const wanted = rules.filter(({ style }) => {
    const family = style.getPropertyValue("font-family").replace(/["']/g, "");
    return (
      drawing.includes(family) && (drawing.includes("italic") || style.getPropertyValue("font-style") !== "italic")
    );
  });
  return (await Promise.all(wanted.map(written))).join("\n");
}

/**
 * @param {CSSStyleSheet} sheet
 * @returns {CSSFontFaceRule[]}
 */
function faces(sheet) {
  try {
    return [...sheet.cssRules].filter((rule) => rule instanceof CSSFontFaceRule);
  } catch {
    return []; // from another site, which may not be read
  }
}

/** @param {CSSFontFaceRule} rule */
async function written(rule) {
  const source = rule.style.getPropertyValue("src").match(/url\("?([^")]+)"?\)/)?.[1] ?? "";
  const address = new URL(source, rule.parentStyleSheet?.href ?? document.baseURI).href;
  if (!FETCHED.has(address)) FETCHED.set(address, dataUri(await (await fetch(address)).blob()));
  return rule.cssText.replace(source, await /** @type {Promise<string>} */ (FETCHED.get(address)));
}

/**
 * @param {Blob} content
 * @returns {Promise<string>}
 */
export function dataUri(content) {
  return new Promise((kept) => {
    const reader = new FileReader();
    reader.onload = () => kept(`${reader.result}`);
    reader.readAsDataURL(content);
  });
}
