// connection: the dot, resuming from what came last, and what to do when the line is gone for good.
import { showFailure } from "../toast/failures.js";
import { reconcile } from "./reconcile.js";
import { heardTo } from "../list/rows.js";

const WORDS = { connected: "Live", reconnecting: "Reconnecting…", offline: "Offline" };
// RFC 6455 §7.4 codes after which trying again cannot help; Notiway's own start at 4000.
const FINAL = {
  1008: "Live updates are not allowed here. Reload the page to try again.",
  1009: "Live updates stopped. Reload the page to try again.",
  4001: "You are signed out. Sign in again to go on.",
  4008: "Too many tabs are open, so this one gets no live updates.",
  4009: "You have been signed out. Sign in again to go on.",
};
const EVERYTHING = "00000000-0000-7000-8000-000000000000"; // since the lowest uuid7: there was nothing yet
const SILENCE = 2.5; // heartbeats missed before a line that looks open is given up
const SETTLE = 400; // ms: what was missed comes right behind the greeting and rings; only then compare
let last = Date.now(); // when a frame last came
let stopped = false;
let wasLive = false;
let id = null;

const socketElement = () => document.querySelector("[data-notiway-socket]");
const socket = () => socketElement()?._htmx?.ws?.connection?.socket;
/** The id the server gave this connection; null before. */
export const connectionId = () => id;

function show(state, words = WORDS[state]) {
  for (const root of document.querySelectorAll("[data-connection]")) root.dataset.connection = state;
  for (const text of document.querySelectorAll("[data-notiway-connection]")) if (text.textContent !== words) text.textContent = words;
}

/** Send a message to the server; returns whether there is a line for it. */
export function send(message) {
  if (!id || socket()?.readyState !== WebSocket.OPEN) return false;
  socket().send(JSON.stringify(message));
  return true;
}

/** Drop the line, if any, and dial again at once: htmx tears the element down and sets it up anew. */
function redial() {
  if (!stopped && socketElement()) window.htmx?.process(socketElement(), true);
}

/** The server greeted us. What was read or deleted meanwhile, in a break or before there was a line, is fetched again. */
export function live(connection, changed) {
  if (id !== connection && (wasLive || changed)) setTimeout(reconcile, SETTLE);
  id = connection;
  wasLive = true;
  document.dispatchEvent(new CustomEvent("notiway:connected"));
}

function beforeConnection({ detail: { connection } }) {
  const url = new URL(connection.url, location.href);
  url.searchParams.set("since", heardTo() || EVERYTHING);
  connection.url = url.href;
  if (navigator.onLine !== false) show("reconnecting");
}

function closed({ detail: { code, reason } }) {
  if (reason === "removed") return;
  stopped = code in FINAL;
  if (stopped) {
    const signedOut = code === 4001 || code === 4009;
    show("offline", signedOut ? "Signed out" : "Offline");
    showFailure(FINAL[code], { href: location.pathname + location.search, linkText: signedOut ? "Sign in" : "Reload" });
  } else {
    show(navigator.onLine === false ? "offline" : "reconnecting");
  }
}

function watch() {
  const limit = Number(socketElement()?.dataset.heartbeat ?? 30) * 1000 * SILENCE;
  if (socket()?.readyState === WebSocket.OPEN && Date.now() - last > limit) {
    last = Date.now();
    redial();
  }
}

export function start() {
  const onSocket = (name, handler) => document.addEventListener(name, (event) => event.target === socketElement() && handler(event));
  onSocket("htmx:ws:before:connection", beforeConnection);
  onSocket("htmx:ws:close", closed);
  onSocket("htmx:ws:after:message:incoming", () => {
    last = Date.now();
    show("connected");
  });
  if (socket()?.readyState === WebSocket.OPEN) show("connected"); // it was quicker than this module
  // Between two deferred scripts htmx may set up the page before hx-ws has joined it, and then nobody dials.
  if (!socketElement()?._htmx?.ws) redial();
  addEventListener("offline", () => show("offline"));
  addEventListener("online", redial);
  addEventListener("pageshow", (event) => event.persisted && redial()); // out of the back/forward cache
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && socket()?.readyState !== WebSocket.OPEN) redial();
  });
  setInterval(watch, 5000);
}
