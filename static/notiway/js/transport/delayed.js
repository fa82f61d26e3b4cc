// delayed: where no line comes about (a network that blocks WebSockets), the page asks now and then, while it is seen.
import { apply as applyBadge } from "../bell/badge.js";
import { takeFetched } from "./changes.js";
import { end } from "./connection.js";
import { HEADERS, reconcile } from "./reconcile.js";
import { showWaiting, waitAs } from "./state.js";

const FIRST = 8_000; // ms without a line; a server that restarts is back before
const EVERY = 30_000; // ms
const SPREAD = 0.2; // of these: not all pages ask at the same moment
const UNAUTHORIZED = 401;
const SIGNED_OUT = 4009;
let timer = null;

const later = (ms) => setTimeout(look, ms * (1 + SPREAD * Math.random()));

/** What is new, the count, and what became of the rest; false when the server does not answer either. */
async function ask() {
  const url = document.getElementById("notiway-recent")?.getAttribute("hx-get");
  const answer = url && (await fetch(url, { headers: HEADERS, credentials: "same-origin" }).catch(() => null));
  if (answer?.status === UNAUTHORIZED) end(SIGNED_OUT);
  if (!answer?.ok || answer.redirected) return false;
  const { content } = Object.assign(document.createElement("template"), { innerHTML: await answer.text() });
  if (timer === null) return true; // there is a line again, which knows better
  takeFetched([...content.querySelectorAll("[data-notiway-id]")].map((row) => document.importNode(row, true)).reverse());
  const badge = content.querySelector("#notiway-badge");
  if (badge) document.getElementById("notiway-badge")?.replaceWith(document.importNode(badge, true));
  applyBadge();
  await reconcile();
  return true;
}

async function look() {
  clearTimeout(timer);
  timer = later(EVERY);
  if (document.hidden || navigator.onLine === false) return;
  const answered = await ask();
  if (timer === null) return;
  waitAs(answered ? "delayed" : "reconnecting");
  showWaiting();
}

function stop() {
  clearTimeout(timer);
  timer = null;
  waitAs("reconnecting");
}

export function start() {
  timer = later(FIRST);
  document.addEventListener("notiway:dial", () => (timer ??= later(FIRST)));
  document.addEventListener("notiway:connected", stop);
  document.addEventListener("notiway:ended", stop);
  document.addEventListener("visibilitychange", () => timer !== null && !document.hidden && look());
}
