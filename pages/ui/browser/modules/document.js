// What a screen reader is to know of the page around the components: its language, and the lists of its pages.

import { STORE } from "./store.js";

export default function ({ data, parentElement }) {
  parentElement.host?.style.setProperty("display", "none");
  document.documentElement.lang = data.lang;
  STORE.missing = data.missing;
  nameLists();
}

// Streamlit puts the sections of its navigation between a list and its items, so that the items are in no list.
function nameLists(tries = 50) {
  const whole = document.querySelector("[data-testid=stSidebarNavItems]");
  // not drawn yet, or hidden, or without sections
  if (!whole?.querySelector(":scope > div")) return void (tries && setTimeout(nameLists, 100, tries - 1));
  const name = () =>
    [...whole.children].forEach((section) => section.tagName === "DIV" && section.setAttribute("role", "list"));
  if (whole.getAttribute("role") !== "none") {
    whole.setAttribute("role", "none");
    new MutationObserver(name).observe(whole, { childList: true });
  }
  name();
}
