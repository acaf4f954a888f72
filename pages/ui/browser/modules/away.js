// The notice shown while the server is not responding: it was stopped, or the connection was lost.

const PATIENCE = 1500; // ms; shorter interruptions are not reported

let says = "";
let resume = () => {};
let app;
let timer;
const notice = document.createElement("div");
notice.className = "vae-away";
notice.setAttribute("role", "alert");

const watched = new MutationObserver(look);

// Shows the notice whenever Streamlit's browser loses the connection, and calls a function when it is back: the session
// may be a new one, in which fragments are unknown until the page has run.
export function watchConnection(words, back) {
  says = words;
  resume = back;
  if (notice.isConnected) notice.textContent = says;
  const found = document.querySelector("[data-testid=stApp]");
  if (!found || found === app) return;
  app = found;
  watched.disconnect();
  watched.observe(app, { attributes: true, attributeFilter: ["data-test-connection-state"] });
}

function look() {
  clearTimeout(timer);
  if (app.dataset.testConnectionState === "CONNECTED") {
    notice.remove();
    resume();
  } else timer = setTimeout(tell, PATIENCE);
}

function tell() {
  document.body.append(notice);
  notice.textContent = says; // set after insertion into the page, so that screen readers announce it
}
