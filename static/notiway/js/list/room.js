// room: how many rows a list takes, so that neither a flood nor a long scroll makes the page slow.
import { rowsOf } from "./rows.js";

const ROWS = 500; // in one list
const BURST = 50; // rows that arrive in a list…
const WINDOW = 10_000; // ms: … in so long
const bursts = new WeakMap(); // list -> { since, taken }

/** How many rows a list keeps: the newest few, or all. */
export const limit = (list) => Number(list.dataset.max ?? Infinity);

/** Whether the list can take one more row now; a list that keeps the newest few always can. */
export function hasRoom(list) {
  if (limit(list) < ROWS) return true;
  const burst = bursts.get(list);
  const isOver = !burst || Date.now() - burst.since > WINDOW;
  bursts.set(list, isOver ? { since: Date.now(), taken: 1 } : { ...burst, taken: burst.taken + 1 });
  return bursts.get(list).taken <= BURST && rowsOf(list).length < ROWS;
}

/** "Load more" of a full list leads to a page of its own, as it does without scripts. */
function lead(event) {
  const list = event.target.closest?.("[data-notiway-more]") && document.querySelector("[data-notiway-list=history]");
  if (list && rowsOf(list).length >= ROWS) event.stopPropagation(); // before htmx hears it
}

export function start() {
  document.addEventListener("click", lead, { capture: true });
}
