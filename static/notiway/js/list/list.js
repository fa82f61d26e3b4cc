// list: puts live rows where they belong, unless someone is reading there or too many come; then "3 new" waits above it.
import { isBusy } from "./busy.js";
import { says } from "./folding.js";
import { countHeld, heldIds, hold, isHeld, isOverfull, release } from "./held.js";
import { absorbs } from "./groups.js";
import { insert } from "./insert.js";
import { reload, toTop } from "./reload.js";
import { hasRoom, limit } from "./room.js";
import { isPending, moreOf, note, placeOf, rowsOf } from "./rows.js";

const fresh = (list) => list.parentElement.querySelector("[data-notiway-fresh]");

/** Whether the filters of a history page let this row in. */
function fits(list, row) {
  const { state = "all", type, source, priority, category, text, page } = list.dataset;
  if (page === "later" || placeOf(list) !== (row.dataset.place ?? "inbox")) return false;
  if (["unread", "read"].includes(state) && row.dataset.state !== state) return false;
  if ((type && row.dataset.type !== type) || (source && row.dataset.source !== source)) return false;
  if ((priority && row.dataset.priority !== priority) || (category && row.dataset.topic !== category)) return false;
  return !text || says(row, text);
}

function isBelowWhatIsLoaded(list, id, rows) {
  const { notiwayMore: end } = moreOf(list)?.dataset ?? {};
  return !rows.some((row) => row.dataset.notiwayId < id) && (id < end || rows.length >= limit(list));
}

function prune(list) {
  for (const row of rowsOf(list).slice(limit(list))) if (!row.contains(document.activeElement)) row.remove();
}

/** Offer rows to a list, which takes copies of those that belong there, the newest first. `restored` ones are no news. */
export function offer(list, rows, { restored = false } = {}) {
  const busy = !restored && rows.length > 0 && isBusy(list);
  const sorted = [...rows].sort((one, other) => (one.dataset.notiwayId < other.dataset.notiwayId ? -1 : 1));
  let shown = rowsOf(list); // read anew only when it has changed: a flood offers thousands
  const byId = new Map(shown.map((row) => [row.dataset.notiwayId, row]));
  for (const row of busy ? sorted : sorted.slice(-limit(list))) {
    const id = row.dataset.notiwayId;
    note(id);
    const known = byId.get(id);
    if (known && !isPending(known)) known.hidden = false; // it left here, and came back by other hands
    if (known || isHeld(list, id) || !fits(list, row) || isBelowWhatIsLoaded(list, id, shown)) continue;
    if (absorbs(list, row)) continue;
    if (busy || isOverfull(list)) hold(list, row, { fresh: !restored });
    else if (restored || hasRoom(list)) byId.set(id, insert(list, row)), (shown = rowsOf(list));
    else hold(list, row, { whole: true });
  }
  prune(list);
}

/** Show what waits if nobody reads there any more, say how much waits else, and tell "mark all" what was shown. */
export function settle(list) {
  if (heldIds(list).length && !isOverfull(list) && !isBusy(list)) return reveal(list);
  const count = countHeld(list);
  if (fresh(list)) {
    fresh(list).hidden = !count && !isOverfull(list);
    fresh(list).textContent = count ? `${count} new` : "Show the newest";
  }
  const [newest] = rowsOf(list);
  const place = list.closest("[data-notiway-frame]") ?? document;
  const before = place.querySelector(`[data-notiway-before="${list.dataset.notiwayList}"]`);
  if (newest && before) before.value = newest.dataset.notiwayId;
  return undefined;
}

/** Show what waited; a list that has no room for it is fetched again. `focus` puts the reader on the newest of it. */
export function reveal(list, { focus = false } = {}) {
  if (isOverfull(list)) return reload(list, fresh(list), focus);
  const rows = release(list).filter((row) => fits(list, row));
  for (const row of rows) if (!absorbs(list, row)) insert(list, row);
  prune(list);
  settle(list);
  if (focus && rows.length) toTop(list);
  if (rows.length) document.dispatchEvent(new CustomEvent("notiway:change"));
  return undefined;
}
