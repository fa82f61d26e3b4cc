// list: puts a live row where it belongs, unless someone is reading there; then "3 new" waits above the list.
import { isPointedAt } from "../page/pointer.js";
import { isDeleted, isPending, note, rowsOf } from "./rows.js";

const freshButton = (list) => list.parentElement.querySelector("[data-notiway-fresh]");
const heldRows = (list) => rowsOf(list).filter((row) => row.hidden);

/** Someone is reading: the list is scrolled, or the pointer, the focus or a selection is in it. */
function isBusy(list) {
  if (!list.checkVisibility() || !list.childElementCount) return false;
  const scroller = list.closest("[data-notiway-scroll]");
  const scrolled = scroller ? scroller.scrollTop > 4 : list.getBoundingClientRect().top < 0;
  return scrolled || isPointedAt(list) || list.contains(document.activeElement) || list.querySelector(":checked") !== null;
}

/** Whether the filters of a history page let this row in. */
function fits(list, row) {
  const { state = "all", type, source, priority, text, page } = list.dataset;
  if (page === "later" || (state !== "all" && row.dataset.state !== state)) return false;
  if ((type && row.dataset.type !== type) || (source && row.dataset.source !== source)) return false;
  if (priority && row.dataset.priority !== priority) return false;
  return !text || row.textContent.toLowerCase().includes(text.toLowerCase());
}

function isBelowWhatIsLoaded(list, older) {
  if (older) return false;
  const max = Number(list.dataset.max ?? Infinity);
  return list.querySelector("[data-notiway-more]") !== null || rowsOf(list).length >= max;
}

function prune(list) {
  const max = Number(list.dataset.max ?? Infinity);
  const shown = rowsOf(list).filter((row) => !row.hidden);
  for (const row of shown.slice(max)) if (!row.contains(document.activeElement)) row.remove();
}

/** Tell the button how many wait, and "mark all" which row is the newest that was shown. */
export function settle(list) {
  const held = heldRows(list).length;
  const button = freshButton(list);
  if (button) {
    button.hidden = held === 0;
    button.textContent = `${held} new`;
  }
  const first = rowsOf(list).find((row) => !row.hidden);
  const before = document.querySelector(`[data-notiway-before="${list.dataset.notiwayList}"]`);
  if (first && before) before.value = first.dataset.notiwayId;
}

/** Offer a row to a list; returns whether the list took it. Rows stay sorted by id, the newest first. */
export function offer(list, row) {
  const id = row.dataset.notiwayId;
  note(id);
  const known = rowsOf(list).find((other) => other.dataset.notiwayId === id);
  if (known) {
    if (!isDeleted(known) || isPending(known)) return false;
    known.replaceWith(row);
    return true;
  }
  const older = rowsOf(list).find((other) => other.dataset.notiwayId < id);
  if (!fits(list, row) || isBelowWhatIsLoaded(list, older)) return false;
  row.hidden = isBusy(list);
  row.classList.toggle("notiway-item--arriving", !row.hidden);
  list.insertBefore(row, older ?? list.querySelector(":scope > .notiway-more"));
  prune(list);
  settle(list);
  return true;
}

/** Show what waited. `focus` puts the reader on the first of it. */
export function reveal(list, { focus = false } = {}) {
  const held = heldRows(list);
  held.forEach((row) => (row.hidden = false));
  prune(list);
  settle(list);
  if (!focus || !held.length) return;
  held[0].querySelector("a")?.focus({ preventScroll: true });
  const scroller = list.closest("[data-notiway-scroll]");
  scroller ? scroller.scrollTo({ top: 0 }) : list.parentElement.scrollIntoView({ block: "start" });
}
