// notify: a notification of the browser, for what is urgent or important while no page of this site is in view.
// Only the tab that tells of a notification comes here; it is hidden only if none of the reader's tabs is in view.
import { onDone } from "../list/rows.js";
import { settings } from "./settings.js";

const shown = new Map(); // id -> what the browser shows

function close(id) {
  shown.get(id)?.close();
  shown.delete(id);
}

/** Show {id, title, message, href, priority}; nothing without the reader's wish and permission. */
export function notify({ id, title, message, href, priority }) {
  if (!settings()?.browser || globalThis.Notification?.permission !== "granted") return;
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

export function start() {
  onDone(close);
  document.addEventListener("notiway:read-up-to", ({ detail: before }) => [...shown.keys()].filter((id) => !before || id <= before).forEach(close));
}
