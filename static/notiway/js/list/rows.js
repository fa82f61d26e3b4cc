// rows: finding and changing every copy of a notification on this page (dropdown and history may both show it).
import { dropHeld, readHeldUpTo, setHeld } from "./held.js";

let newest = "";
let heard = "";
const tellers = new Set();

export const lists = () => [...document.querySelectorAll("[data-notiway-list]")];
export const rowsOf = (list) => [...list.querySelectorAll(":scope > [data-notiway-id]")];
/** A row that stands for a group is none: the server draws it anew (groups.js). */
export const copies = (id) => [...document.querySelectorAll(`[data-notiway-list] > [data-notiway-id="${CSS.escape(id)}"]:not([data-members])`)];
/** The link to the next page of a list, where there is one. */
export const moreOf = (list) => list.parentElement.querySelector(":scope > .notiway-more [data-notiway-more]");
/** Where the rows of a list are: in the inbox, or put away from it. */
export const placeOf = (list) => (["archived", "snoozed"].includes(list.dataset.state) ? list.dataset.state : "inbox");
export const isPending = (row) => "notiwayPending" in row.dataset;

/** Call `teller(id)` when a notification is read, deleted or recalled: its toast may go. */
export const onDone = (teller) => tellers.add(teller);
const done = (id) => tellers.forEach((teller) => teller(id));

/** The id of the newest notification this page knows of: ids are uuid7, so text order is time order. */
export const newestId = () => newest;
export function note(id) {
  if (id > newest) newest = id;
}

/** Where a new line resumes. Only what came over the line moves it: what was fetched says nothing of what lies between. */
export const heardTo = () => heard;
export function hear(id) {
  if (id > heard) heard = id;
}

/** Flip a row; the button that was just pressed disappears, so its opposite takes the focus. */
export function setState(row, state) {
  if (row.dataset.state === state) return;
  const focused = document.activeElement;
  const held = row.contains(focused) && ["read", "unread"].includes(focused.dataset.notiwayAction);
  row.dataset.state = state;
  if (held) row.querySelector(`[data-notiway-action="${state === "read" ? "unread" : "read"}"]`)?.focus();
}

export function setStates(ids, state) {
  for (const id of ids) {
    copies(id).forEach((row) => setState(row, state));
    setHeld(id, state);
    if (state === "read") done(id);
  }
}

/** Mark what is on this page as read, up to and including `before`; without it, everything. */
export function readUpTo(before) {
  document.dispatchEvent(new CustomEvent("notiway:read-up-to", { detail: before }));
  readHeldUpTo(before);
  for (const row of document.querySelectorAll("[data-notiway-list] > [data-state=unread], [data-notiway-banners] > [data-notiway-id]")) {
    if (before && row.dataset.notiwayId > before) continue;
    setState(row, "read");
    done(row.dataset.notiwayId);
  }
}

/** The focus, if it is inside a row that goes, moves to a neighbour instead of falling to the page's top. */
function leaveFocus(row) {
  if (!row.contains(document.activeElement)) return;
  const rows = rowsOf(row.parentElement).filter((other) => other === row || !other.hidden);
  const near = rows[rows.indexOf(row) + 1] ?? rows[rows.indexOf(row) - 1];
  (near?.querySelector("a, button") ?? row.closest("[tabindex], section, form"))?.focus();
}

/** Take a row away. */
export function removeRow(row) {
  leaveFocus(row);
  row.remove();
}

/** Take a row out of sight, until the server has said whether it goes. */
export function hideRow(row) {
  leaveFocus(row);
  row.hidden = true;
}

/** Take these out of the lists that they are not in any more; without a `place` they are in none. */
export function dropAll(ids, place) {
  for (const id of ids) {
    if (place !== "inbox") done(id), dropHeld(id);
    copies(id).filter((row) => placeOf(row.parentElement) !== place && !isPending(row)).forEach(removeRow);
  }
}

export function start() {
  const shown = document.querySelector("[data-notiway-socket]")?.dataset.newest ?? "";
  note(shown);
  hear(shown);
  lists().forEach((list) => rowsOf(list).forEach((row) => note(row.dataset.notiwayId)));
}
