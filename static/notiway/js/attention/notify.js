// notify: a notification of the browser, for what is urgent or important while no page of this site is in view.
// Only the tab that tells of a notification comes here; it is hidden only if none of the reader's tabs is in view.
import { onDone } from "../list/rows.js";
import { settings } from "./settings.js";

const AT_ONCE = 3; // in so many ms; more than that become one number
const WINDOW = 10_000;
const MANY = "notiway-many";
const shown = new Map(); // id -> what the browser shows
let recent = []; // when those came that were shown one by one
let count = 0; // of those that became a number
let countedAt = 0;

function close(id) {
  shown.get(id)?.close();
  shown.delete(id);
}

function show({ id, title, message, href, priority }) {
  try {
    const notification = new Notification(title, { body: message, tag: id, requireInteraction: priority === "urgent", silent: true });
    notification.addEventListener("click", () => {
      close(id);
      focus();
      if (href) location.assign(href);
    });
    notification.addEventListener("close", () => shown.delete(id));
    shown.set(id, notification);
  } catch {
    // Browsers of phones have the interface and refuse to be used so; the toast waits on the page.
  }
}

/** Show these, each {id, title, message, href, priority}; nothing without the reader's wish and permission. */
export function notify(toasts) {
  if (!toasts.length || !settings()?.browser || globalThis.Notification?.permission !== "granted") return;
  const now = Date.now();
  recent = recent.filter((at) => now - at < WINDOW);
  if (now - countedAt >= WINDOW) count = 0;
  if (!count && recent.length + toasts.length <= AT_ONCE) {
    recent.push(...toasts.map(() => now));
    return toasts.forEach(show);
  }
  count += toasts.length;
  countedAt = now;
  const priority = toasts.some((toast) => toast.priority === "urgent") ? "urgent" : "high";
  const href = document.querySelector("[data-notiway-toasts]")?.dataset.history ?? "";
  return show({ id: MANY, title: `${count} important notifications`, message: "", href, priority });
}

export function start() {
  onDone(close);
  document.addEventListener("notiway:read-up-to", ({ detail: before }) => [...shown.keys()].filter((id) => !before || id === MANY || id <= before).forEach(close));
}
