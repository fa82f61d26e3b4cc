// connection: the dot, resuming from what came last, and what to do when the line is gone for good.
import { reconcile } from "./reconcile.js";
import { heardTo } from "../list/rows.js";
import { takeFrame } from "./frames.js";
import { complete } from "./ticket.js";
import { isFinal, show, showEnd, showWaiting } from "./state.js";

const SIGNED_OUT = 4009;
const TOO_MANY = 4008; // connections of this user; another tab may be closed, so this one tries again…
const CROWDED = 60_000; // … after so many ms
export const EVERYTHING = "00000000-0000-7000-8000-000000000000"; // since the lowest uuid7: there was nothing yet
const SETTLE = 400; // ms: what was missed comes right behind the greeting and rings; only then compare
let last = Date.now(); // when a frame last came
let stopped = false;
let wasLive = false;
let id = null;
let isDue = false; // the ticket has come for which a dial waited
let spokeAt = 0; // when the socket of now first brought something; 0 before

const socketElement = () => document.querySelector("[data-notiway-socket]");
const socket = () => socketElement()?._htmx?.ws?.connection?.socket;
/** The id the server gave this connection; null before. */
export const connectionId = () => id;

/** Send a message to the server; returns whether there is a line for it. */
export function send(message) {
  if (!spokeAt || !isOpen()) return false;
  socket().send(JSON.stringify(message));
  return true;
}

/** When something came over the line last, in ms since the epoch. */
export const heardAt = () => last;
export const isOpen = () => socket()?.readyState === WebSocket.OPEN;

/** Drop the line, if any, and dial again at once: htmx tears the element down and sets it up anew. */
export function redial() {
  if (stopped || !socketElement()) return;
  last = Date.now();
  window.htmx?.process(socketElement(), true);
  socketElement().dispatchEvent(new Event("notiway:line")); // one that needs a ticket is dialled by nobody else
}

/** Dial unless there is a line. */
export const dialAgain = () => isOpen() || redial();

/** The server greeted us. What was read or deleted meanwhile, in a break or before there was a line, is fetched again. */
export function live(connection, changed) {
  if (id !== connection && (wasLive || changed)) setTimeout(reconcile, SETTLE);
  id = connection;
  wasLive = true;
  document.dispatchEvent(new CustomEvent("notiway:connected"));
}

function beforeConnection(event) {
  const mayDial = !stopped && (isDue || document.dispatchEvent(new CustomEvent("notiway:dial", { cancelable: true })));
  isDue = false;
  if (!mayDial) return event.preventDefault();
  const { connection } = event.detail;
  const url = new URL(connection.url, location.href);
  url.searchParams.set("since", heardTo() || EVERYTHING);
  spokeAt = 0;
  showWaiting();
  const redialWithTicket = () => ((isDue = true), redial());
  if (!complete(url, redialWithTicket, () => end(SIGNED_OUT))) return event.preventDefault();
  connection.url = url.href;
}

/** The line is gone for good; say why. */
export function end(code) {
  stopped = true;
  showEnd(code);
  document.dispatchEvent(new CustomEvent("notiway:ended"));
}

function closed({ detail: { code, reason } }) {
  if (reason !== "closed" || stopped) return;
  if (isFinal(code)) return end(code);
  showWaiting();
  const lived = spokeAt ? Date.now() - spokeAt : 0;
  spokeAt = 0;
  document.dispatchEvent(new CustomEvent("notiway:lost", { detail: { code, lived } }));
  if (code === TOO_MANY) setTimeout(dialAgain, CROWDED * (1 + Math.random()));
}

function spoke() {
  last = Date.now();
  if (!spokeAt) document.dispatchEvent(new CustomEvent("notiway:spoke"));
  spokeAt ||= last;
  show("connected");
}

export function start() {
  const onSocket = (name, handler) => document.addEventListener(name, (event) => event.target === socketElement() && handler(event));
  onSocket("htmx:ws:before:connection", beforeConnection);
  onSocket("htmx:ws:close", closed);
  onSocket("htmx:ws:before:message:incoming", (event) => {
    event.preventDefault(); // htmx would swap each frame by itself
    takeFrame(event.detail.message.data);
    spoke();
  });
  if (isOpen()) spoke(); // it was quicker than this module
  // Between two deferred scripts htmx may set up the page before hx-ws has joined it, and then nobody dials;
  // and a line that was refused before this module listened is dialled again, to hear why.
  else if (socket()?.readyState !== WebSocket.CONNECTING) redial();
}
