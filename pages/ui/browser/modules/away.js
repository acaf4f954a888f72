// What a visitor is told while the server does not answer: it was stopped, or the network is gone.

const PATIENCE = 1500; // ms; shorter than that, nobody needs to be told

let says = "";
let resume = () => {};
let app;
let timer;
const notice = document.createElement("div");
notice.className = "vae-away";
notice.setAttribute("role", "alert");

const watched = new MutationObserver(look);

// From now on says it in these words whenever Streamlit's browser finds the connection gone, and calls what is to be done
// when it is back: the session may be a new one, which knows no parts of the page before the page has run in it.
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
  notice.textContent = says; // once it stands in the page, so that screen readers say it
}
