// The page around the components, for screen readers: its language, the list of pages, and the state of the connection.

import { watchConnection } from "./away.js";
import { STORE } from "./store.js";

export default function ({ data, parentElement, setStateValue }) {
  parentElement.host?.style.setProperty("display", "none");
  document.documentElement.lang = data.lang;
  STORE.missing = data.missing;
  watchConnection(data.away, () => setStateValue("back", Date.now())); // reruns the page
  nameLists();
  watched.observe(document.body, { childList: true, subtree: true });
}

// Streamlit puts the sections of its navigation between a list and its items, so that the items belong to no list.
// The navigation may be drawn late, and again when the sidebar opens or the page changes, so it is checked each time.
const watched = new MutationObserver(nameLists);

function nameLists() {
  const whole = document.querySelector("[data-testid=stSidebarNavItems]");
  const sections = [...(whole?.children ?? [])].filter((child) => child.tagName === "DIV");
  if (!whole || !sections.length) return;
  whole.setAttribute("role", "none");
  for (const section of sections) section.setAttribute("role", "list");
}
