// doctor: on the settings page, tries what live notifications need, in this browser and on this network.
import { ticketed } from "../transport/ticket.js";
import { state, words } from "./permission.js";
import { isQuiet } from "./quiet.js";
import { refresh } from "./settings.js";

const PATIENCE = 8_000; // ms for an answer
const NEAR = 5_000; // ms between two clocks that show the same
const arrivals = new Map(); // id -> when it came
const doctor = () => document.querySelector("[data-notiway-doctor]");

function show(check, is, text) {
  const line = doctor()?.querySelector(`[data-notiway-check="${check}"]`);
  if (!line) return;
  line.dataset.is = is;
  line.querySelector(".notiway-check__words").textContent = text;
}

/** What `make(resolve)` comes to, or null after a while. */
function within(make) {
  return new Promise((resolve) => {
    make(resolve);
    setTimeout(resolve, PATIENCE, null);
  });
}

async function addressOf(name) {
  const url = new URL(doctor().dataset[name], location.href);
  await ticketed(url);
  return url;
}

async function trySocket() {
  show("socket", "trying", "Trying…");
  const began = performance.now();
  const url = await addressOf("socket");
  let socket = null;
  const opened = await within((resolve) => {
    url.protocol = url.protocol.replace("http", "ws");
    socket = new WebSocket(url);
    socket.addEventListener("message", () => resolve(true));
    socket.addEventListener("close", () => resolve(null));
  });
  socket.close();
  if (opened) show("socket", "good", `Works (${Math.round(performance.now() - began)} ms)`);
  else show("socket", "bad", "Does not open. A proxy or a firewall on the way may block it.");
}

async function tryStream() {
  show("stream", "trying", "Trying…");
  const began = performance.now();
  const url = await addressOf("stream");
  let stream = null;
  const opened = await within((resolve) => {
    stream = new EventSource(url, { withCredentials: url.origin === location.origin });
    stream.addEventListener("connected", () => resolve(true));
    stream.addEventListener("error", () => resolve(null));
  });
  stream.close();
  if (opened) show("stream", "good", `Works (${Math.round(performance.now() - began)} ms)`);
  else show("stream", "bad", "Does not open. A proxy on the way may hold it back.");
}

async function tryClock() {
  show("clock", "trying", "Trying…");
  const told = await refresh();
  if (!told) return show("clock", "bad", "The server does not answer.");
  const seconds = Math.round(told.skew / 1000);
  if (Math.abs(told.skew) <= NEAR) return show("clock", "good", "Agrees with the server’s");
  return show("clock", "poor", `${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} the server’s. Let your system set its clock by itself.`);
}

async function tryTest(form) {
  show("test", "trying", "Sent…");
  const began = performance.now();
  const headers = { Accept: "application/json", "X-CSRFToken": form.elements.csrf_token.value };
  const answer = await fetch(form.action, { method: "POST", headers, credentials: "same-origin" }).catch(() => null);
  if (answer?.status === 429) return show("test", "poor", "Too many tests. Wait a minute and try again.");
  const id = answer?.ok ? (await answer.json()).notificationId : null;
  if (!id) return show("test", "bad", "Could not be sent.");
  const came = arrivals.get(id) ?? (await within((resolve) => document.addEventListener("notiway:arrived", ({ detail }) => detail === id && resolve(performance.now()))));
  if (!came) return show("test", "bad", "Sent, but it did not arrive here.");
  return show("test", "good", `Arrived after ${Math.max(1, Math.round(came - began))} ms${isQuiet() ? ". It did not pop up: Do not disturb is on" : ""}`);
}

export function start() {
  document.addEventListener("notiway:arrived", ({ detail }) => doctor() && arrivals.set(detail, performance.now()));
  document.addEventListener("click", async ({ target }) => {
    if (!target.closest?.("[data-notiway-examine]")) return;
    show("permission", { granted: "good", default: "poor" }[state()] ?? "bad", words());
    await Promise.all([trySocket(), tryStream(), tryClock(), tryTest(doctor().querySelector("[data-notiway-test]"))]);
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-notiway-test]")) return;
    event.preventDefault();
    tryTest(event.target);
  });
}
