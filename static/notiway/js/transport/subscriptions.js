// subscriptions: <div data-notiway-subscribe="group:dashboard-ops"> lets this page listen to a group as long as the
// element is there, after a reconnect too. What comes is drawn by templates/events/<name>.html.
import { send } from "./connection.js";

const heard = new Set();
const wanted = () => new Set([...document.querySelectorAll("[data-notiway-subscribe]")].map((each) => each.dataset.notiwaySubscribe).filter(Boolean));

function end(audience) {
  send({ action: "unsubscribe", audience });
  heard.delete(audience);
}

function compare() {
  const now = wanted();
  for (const audience of now) if (!heard.has(audience) && send({ action: "subscribe", audience })) heard.add(audience);
  for (const audience of [...heard]) if (!now.has(audience)) end(audience);
}

export function start() {
  document.addEventListener("notiway:connected", () => {
    heard.clear(); // a new connection listens to nothing yet
    compare();
  });
  new MutationObserver(compare).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-notiway-subscribe"] });
  addEventListener("pagehide", () => [...heard].forEach(end));
}
