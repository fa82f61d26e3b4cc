// log: while somebody looks at the newest of what was sent, who has seen and read it moves, and what others send or recall comes in.
import { fetchParts } from "../bell.js";

const PAUSE = 4000; // ms between two looks
const log = () => document.querySelector("[data-staff-log]");
const rowOf = (list, id) => list.querySelector(`:scope > [data-sent="${id}"]`);
const isUsed = (element) => element.contains(document.activeElement) || element.querySelector("details[open]") !== null;

/** Draw a row again; while it is used, only its numbers. */
function renew(row, fresh) {
  if (row.dataset.state !== fresh.dataset.state && !isUsed(row)) return row.replaceWith(fresh);
  const numbers = row.querySelectorAll("dd");
  fresh.querySelectorAll("dd").forEach((number, index) => {
    if (numbers[index].innerHTML !== number.innerHTML) numbers[index].innerHTML = number.innerHTML;
  });
  return undefined;
}

/** Take in the newest page of the log, whose rows come newest first. */
function take(list, rows) {
  let place = list.firstElementChild;
  for (const fresh of rows) {
    const row = rowOf(list, fresh.dataset.sent);
    if (row) place = row.nextElementSibling, renew(row, fresh);
    else list.insertBefore(fresh, place);
    if (fresh.isConnected) window.htmx?.process(fresh);
  }
}

async function look() {
  const shown = log();
  if (!shown || document.hidden) return;
  const parts = await fetchParts(shown.dataset.staffLog).catch(() => null); // the next look tries again
  const list = shown.querySelector(".staff-log");
  const fresh = parts && document.importNode(parts, true).querySelector("[data-staff-log]");
  if (!fresh || !shown.isConnected || (!list && isUsed(shown))) return;
  if (list) take(list, [...fresh.querySelectorAll("[data-sent]")]);
  else if (fresh.querySelector("[data-sent]")) shown.replaceWith(fresh), window.htmx?.process(fresh);
  document.dispatchEvent(new CustomEvent("notiway:change")); // times in words
}

export function start() {
  setInterval(look, PAUSE);
  document.addEventListener("visibilitychange", look);
}
