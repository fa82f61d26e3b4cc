// focus: when a swap takes away the element that had the focus, put it where the reader expects to go on.
import { rowsOf } from "./rows.js";

const AFTER = { read: "unread", unread: "read" };
let plan = null; // { action, list, id } of the request whose answer is being swapped

function before({ detail: { ctx } }) {
  const source = ctx.sourceElement;
  const row = source?.closest?.("[data-notiway-id]");
  const active = document.activeElement;
  const within = row ?? source?.closest?.("#notiway-results");
  plan = null;
  if (!within || !(active === document.body || within.contains(active))) return;
  plan = row
    ? { action: source.dataset.notiwayAction, list: row.parentElement, id: row.dataset.notiwayId }
    : source.hasAttribute("data-notiway-more")
      ? { action: "more", last: rowsOf(ctx.target).at(-1) }
      : { action: "results" };
}

function after(event) {
  const { action, list, id, last } = plan ?? {};
  plan = null;
  if (action === "more") {
    const rows = rowsOf(event.detail.ctx.target);
    return rows[rows.indexOf(last) + 1]?.querySelector("a, button")?.focus();
  }
  if (action === "results") {
    return document.querySelector("#notiway-undo button, #notiway-results [data-notiway-id] a")?.focus();
  }
  const row = id && [...list.children].find((child) => child.dataset.notiwayId === id);
  if (!row) return undefined;
  const next = AFTER[action] && row.querySelector(`[data-notiway-action="${AFTER[action]}"]`);
  return (next ?? row.querySelector("a, button"))?.focus();
}

// Incoming frames may reach the page between these two: only the answer to a press moves the focus.
export function start() {
  document.addEventListener("htmx:before:swap", (event) => event.detail.ctx.response && before(event));
  document.addEventListener("htmx:after:swap", (event) => event.detail.ctx.response && after(event));
}
