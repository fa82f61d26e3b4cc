// arrivals: a new notification becomes a toast and is spoken, in one of a reader's tabs only (claim.js).
import { heed } from "../attention/heed.js";
import { speak } from "../page/live-region.js";
import { newestId } from "../list/rows.js";
import { isBack } from "../transport/breaks.js";
import { burst, grouped } from "./burst.js";
import * as claim from "./claim.js";
import { showMany, showToast, withdraw } from "./stack.js";

const GATHER = 120; // ms: arrivals this close together are told as one…
const AT_MOST = 1000; // ms: … but nobody waits longer for the first of them
const QUIET = 1000; // ms without more, after which the number of a burst is spoken again
const toasts = new Map(); // id -> what the server drew, until its row is there
let gathered = [];
let timer = null;
let firstAt = 0;
let baseline = "";

let counting = null; // until a number has stood still
let said = "";

/** Say a number when it comes, and once more when it has stopped growing. */
function sayCount(title) {
  if (counting === null) speak((said = title));
  clearTimeout(counting);
  counting = setTimeout(() => {
    counting = null;
    if (title !== said) speak((said = title));
  }, QUIET);
}

/** Take the toast that the server drew of a notification; it comes before the row. */
export const drawn = (id, template) => toasts.set(id, template.content.firstElementChild);

/** What a toast says of a row. */
function toastOf(row) {
  const link = row.querySelector(".notiway-item__title");
  const message = row.querySelector(".notiway-item__message")?.textContent ?? "";
  const { notiwayId: id, type, priority, group, topic, name } = row.dataset;
  const away = document.hidden || isBack();
  return { id, type, priority, group, topic, name, away, title: link.lastChild.textContent.trim(), message, href: link.getAttribute("href") ?? "", stays: type === "error" || priority === "urgent", drawn: toasts.get(id) };
}

function showOne(toast) {
  const { count, title } = showToast(toast);
  if (count) sayCount(title);
  else if (toast.priority !== "urgent") speak(`New notification: ${toast.title}. ${toast.message}`.trim()); // that one is an alert
}

/** Only what leaves by itself may become a number: errors and urgent ones are told one by one, and first. */
function tell(toasts) {
  if (!toasts.length) return;
  toasts.filter((toast) => toast.stays).forEach(showOne);
  const ordinary = grouped(toasts.filter((toast) => !toast.stays));
  const many = burst(ordinary);
  if (!many.length) return ordinary.forEach(showOne);
  const ids = new Set(ordinary.map(({ id }) => id));
  const shown = withdraw(many.filter(({ id }) => !ids.has(id)).map(({ id }) => id));
  sayCount(showMany(many.filter(({ id }) => ids.has(id) || shown.has(id))).title);
}

async function claimAndTell() {
  const toasts = gathered;
  gathered = [];
  const mine = await claim.claimed(toasts);
  if (mine.length) tell(heed(mine));
}

/**
 * A notification reached this tab. What the page already counted when it was drawn is no news; low ones wait in the bell.
 * One that was snoozed is news again: `woken` tells this time from the first.
 */
export function arrived(row, woken = "") {
  const toast = { ...toastOf(row), key: row.dataset.notiwayId + woken };
  toasts.delete(toast.id);
  document.dispatchEvent(new CustomEvent("notiway:arrived", { detail: toast.id }));
  if (row.dataset.state === "read" || (!woken && row.dataset.notiwayId <= baseline) || row.dataset.priority === "low") return;
  if (!gathered.length) firstAt = Date.now();
  gathered.push(toast);
  clearTimeout(timer);
  timer = setTimeout(claimAndTell, Math.max(0, Math.min(GATHER, firstAt + AT_MOST - Date.now())));
}

export function start() {
  baseline = newestId();
  claim.start();
}
