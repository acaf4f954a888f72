// Says what language the page is in, to screen readers and to the choice of Chinese or Japanese glyphs.

export default function ({ data, parentElement }) {
  parentElement.host?.style.setProperty("display", "none");
  document.documentElement.lang = data.lang;
}
