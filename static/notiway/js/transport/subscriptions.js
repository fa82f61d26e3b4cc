// subscriptions: <div data-notiway-subscribe="group:dashboard-ops"> lets this page listen to a group as long as the
// element is there, after a reconnect too. What comes is drawn by templates/events/<name>.html.
import { send } from "./connection.js";

const heard = new Set();
let named = ""; // what was wanted when streams were told last

/** The audiences that this page wants to hear now. */
export const wanted = () => new Set([...document.querySelectorAll("[data-notiway-subscribe]")].map((each) => each.dataset.notiwaySubscribe).filter(Boolean));

function end(audience) {
  send({ action: "unsubscribe", audience });
  heard.delete(audience);
}

function compare() {
  const now = wanted();
  for (const audience of now) if (!heard.has(audience) && send({ action: "subscribe", audience })) heard.add(audience);
  for (const audience of [...heard]) if (!now.has(audience)) end(audience);
  const names = [...now].sort().join(" ");
  if (names !== named) document.dispatchEvent(new CustomEvent("notiway:audiences")); // a stream names them in its address
  named = names;
}

export function start() {
  document.addEventListener("notiway:spoke", () => heard.clear()); // a new line listens to nothing yet
  document.addEventListener("notiway:connected", compare);
  new MutationObserver(compare).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-notiway-subscribe"] });
  addEventListener("pagehide", () => [...heard].forEach(end));
}
