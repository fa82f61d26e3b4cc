// arrivals: a new notification becomes a toast and is spoken, in one of a reader's tabs only. A focused tab asks first,
// a hidden one last; a Web Lock per notification decides who won, also between tabs that ask in the same millisecond.
import { heed } from "../attention/heed.js";
import { speak } from "../page/live-region.js";
import { newestId } from "../list/rows.js";
import { remembered } from "../page/remembered.js";
import { showMany, showToast } from "./stack.js";

const GATHER = 120; // ms: arrivals this close together are told as one…
const AT_MOST = 1000; // ms: … but nobody waits longer for the first of them
const WAIT = { focused: 0, visible: 150, hidden: 600 }; // ms before a tab asks
const HOLD = 15_000; // ms a lock is kept, longer than any tab waits
const MANY = 3; // more ordinary ones than this at once become one toast
const taken = remembered();
const toasts = new Map(); // id -> what the server drew, until its row is there
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("notiway") : null;
let gathered = [];
let timer = null;
let firstAt = 0;
let baseline = "";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const visibility = () => (document.hidden ? "hidden" : document.hasFocus() ? "focused" : "visible");

async function claim(id) {
  if (taken.has(id)) return false;
  if (navigator.locks) {
    return new Promise((resolve) => {
      navigator.locks.request(`notiway:${id}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null && !taken.has(id));
        return lock && pause(HOLD);
      }).catch(() => resolve(false));
    });
  }
  return claimByStorage(id);
}

/** Without Web Locks (plain http): the last to write its name within a short while has won. */
async function claimByStorage(id) {
  const key = "notiway:voice";
  try {
    const [last] = (localStorage.getItem(key) ?? "").split(" ");
    if (last === id) return false;
    const name = `${id} ${Math.random()}`;
    localStorage.setItem(key, name);
    await pause(40);
    return localStorage.getItem(key) === name && !taken.has(id);
  } catch {
    return !document.hidden; // storage is off: better twice than never
  }
}

/** Take the toast that the server drew of a notification; it comes before the row. */
export const drawn = (id, template) => toasts.set(id, template.content.firstElementChild);

/** What a toast says of a row. */
function toastOf(row) {
  const link = row.querySelector(".notiway-item__title");
  const message = row.querySelector(".notiway-item__message")?.textContent ?? "";
  const { notiwayId: id, type, priority, topic, name } = row.dataset;
  return { id, type, priority, topic, name, title: link.lastChild.textContent.trim(), message, href: link.getAttribute("href") ?? "", stays: type === "error" || priority === "urgent", drawn: toasts.get(id) };
}

/** Only what leaves by itself may become a number: errors and urgent ones are told one by one, and first. */
function tell(toasts) {
  const ordinary = toasts.filter((toast) => !toast.stays);
  const single = toasts.filter((toast) => toast.stays || ordinary.length <= MANY);
  for (const toast of single) {
    showToast(toast);
    if (toast.priority !== "urgent") speak(`New notification: ${toast.title}. ${toast.message}`.trim()); // that one is an alert
  }
  if (ordinary.length > MANY) speak(showMany(ordinary).title);
}

async function claimAndTell() {
  const toasts = gathered;
  gathered = [];
  await pause(WAIT[visibility()]);
  const won = await Promise.all(toasts.map(({ key }) => claim(key)));
  const mine = toasts.filter((_, index) => won[index]);
  if (!mine.length) return;
  const ids = mine.map(({ key }) => key);
  ids.forEach((id) => taken.add(id));
  channel?.postMessage(ids);
  tell(heed(mine));
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
  channel?.addEventListener("message", ({ data }) => data.forEach((id) => taken.add(id)));
}
