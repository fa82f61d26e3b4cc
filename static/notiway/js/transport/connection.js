// connection: the dot, resuming from what came last, and what to do when the line is gone for good.
import { reconcile } from "./reconcile.js";
import { heardTo } from "../list/rows.js";
import { complete } from "./ticket.js";
import { isFinal, show, showEnd, showWaiting } from "./state.js";

const SIGNED_OUT = 4009;
const TOO_MANY = 4008; // connections of this user; another tab may be closed, so this one tries again…
const CROWDED = 60_000; // … after so many ms
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

/** Send a message to the server; returns whether there is a line for it. */
export function send(message) {
  if (!id || socket()?.readyState !== WebSocket.OPEN) return false;
  socket().send(JSON.stringify(message));
  return true;
}

/** Drop the line, if any, and dial again at once: htmx tears the element down and sets it up anew. */
function redial() {
  if (stopped || !socketElement()) return;
  window.htmx?.process(socketElement(), true);
  socketElement().dispatchEvent(new Event("notiway:line")); // one that needs a ticket is dialled by nobody else
}

const dialAgain = () => socket()?.readyState !== WebSocket.OPEN && redial();

/** The server greeted us. What was read or deleted meanwhile, in a break or before there was a line, is fetched again. */
export function live(connection, changed) {
  if (id !== connection && (wasLive || changed)) setTimeout(reconcile, SETTLE);
  id = connection;
  wasLive = true;
  document.dispatchEvent(new CustomEvent("notiway:connected"));
}

function beforeConnection(event) {
  if (stopped) return event.preventDefault();
  const { connection } = event.detail;
  const url = new URL(connection.url, location.href);
  url.searchParams.set("since", heardTo() || EVERYTHING);
  if (navigator.onLine !== false) showWaiting();
  document.dispatchEvent(new CustomEvent("notiway:dial"));
  if (!complete(url, redial, () => end(SIGNED_OUT))) return event.preventDefault();
  connection.url = url.href;
}

/** The line is gone for good; say why. */
export function end(code) {
  stopped = true;
  showEnd(code);
  document.dispatchEvent(new CustomEvent("notiway:ended"));
}

function closed({ detail: { code, reason } }) {
  if (reason === "removed" || stopped) return;
  if (isFinal(code)) end(code);
  else if (navigator.onLine === false) show("offline");
  else showWaiting();
  if (code === TOO_MANY) setTimeout(dialAgain, CROWDED * (1 + Math.random()));
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
  // Between two deferred scripts htmx may set up the page before hx-ws has joined it, and then nobody dials;
  // and a line that was refused before this module listened is dialled again, to hear why.
  else if (socket()?.readyState !== WebSocket.CONNECTING) redial();
  addEventListener("offline", () => show("offline"));
  addEventListener("online", redial);
  addEventListener("pageshow", (event) => event.persisted && redial()); // out of the back/forward cache
  document.addEventListener("visibilitychange", () => document.hidden || dialAgain());
  setInterval(watch, 5000);
}
