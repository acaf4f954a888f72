// What a screen reader is to know of the page around the components: its language, the lists of its pages, whether its server answers.

import { watchConnection } from "./away.js";
import { STORE } from "./store.js";

export default function ({ data, parentElement, setStateValue }) {
  parentElement.host?.style.setProperty("display", "none");
  document.documentElement.lang = data.lang;
  STORE.missing = data.missing;
  watchConnection(data.away, () => setStateValue("back", Date.now())); // which runs the page
  nameLists();
  watched.observe(document.body, { childList: true, subtree: true });
}

// Streamlit puts the sections of its navigation between a list and its items, so that the items are in no list.
// The navigation may be drawn late, and anew when the sidebar opens or a page is chosen: each time it is looked at.
const watched = new MutationObserver(nameLists);

function nameLists() {
  const whole = document.querySelector("[data-testid=stSidebarNavItems]");
  const sections = [...(whole?.children ?? [])].filter((child) => child.tagName === "DIV");
  if (!whole || !sections.length) return;
  whole.setAttribute("role", "none");
  for (const section of sections) section.setAttribute("role", "list");
}
