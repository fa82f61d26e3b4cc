// leaving: what is archived, snoozed or deleted leaves at once, and comes back if the server refuses.
import { copies, hideRow } from "./rows.js";

const ACTIONS = ["delete", "archive", "snooze", "unarchive", "unsnooze"];
const left = new Map(); // the request -> the rows that it hid

/** The rows that a press takes out of lists: one, or all that are selected. */
function leavers(source, submitter) {
  const { notiwayAction: action } = source.dataset;
  const row = ACTIONS.includes(action) && source.closest("[data-notiway-id]");
  const isAlone = action === "unarchive" || action === "unsnooze" || "members" in (row?.dataset ?? {});
  if (row) return isAlone ? [row] : copies(row.dataset.notiwayId);
  const isBulk = source.matches("[data-notiway-bulk]") && ACTIONS.includes(submitter?.value);
  return !isBulk ? [] : [...source.querySelectorAll("[data-notiway-list] > :has(input[name=ids]:checked)")];
}

function begin({ detail: { ctx } }) {
  const rows = leavers(ctx.sourceElement, ctx.request?.submitter).filter((row) => !row.hidden);
  if (!rows.length) return;
  left.set(ctx, rows);
  rows.forEach(hideRow);
  document.dispatchEvent(new CustomEvent("notiway:change"));
}

function refused({ detail: { ctx } }) {
  for (const row of left.get(ctx) ?? []) if (row.isConnected) row.hidden = false;
  if (left.delete(ctx)) document.dispatchEvent(new CustomEvent("notiway:change"));
}

export function start() {
  document.addEventListener("htmx:before:request", begin);
  document.addEventListener("htmx:response:error", refused);
  document.addEventListener("htmx:error", refused);
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => left.delete(ctx));
}
