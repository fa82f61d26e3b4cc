// held: notifications that are not in their list yet, because someone reads there or because too many came at once.
// They lie beside the page, so that a flood costs it nothing; what happens to them elsewhere is noted here too.
const ROWS = 50; // kept as rows for each list; of more only the state is kept, and the list is fetched again
const COUNTED = 999; // beyond this the exact number is nobody's concern
const stores = new Map(); // list -> Map of id -> { row, state, fresh }
const overfull = new WeakSet(); // lists that must be fetched again to show what is held

const entriesOf = (list) => stores.get(list) ?? new Map();

/** All entries of an id; lists that have left the page are forgotten on the way. */
function entries(id) {
  for (const list of stores.keys()) if (!list.isConnected) stores.delete(list);
  return [...stores.values()].map((store) => store.get(id)).filter(Boolean);
}

export const isHeld = (list, id) => entriesOf(list).has(id);
export const isOverfull = (list) => overfull.has(list);
export const heldIds = (list) => [...entriesOf(list).keys()];

/** Keep a row for later. `fresh`: it is news, and counts as such; `whole`: the list has no room for it. */
export function hold(list, row, { fresh = true, whole = false } = {}) {
  const store = entriesOf(list);
  stores.set(list, store);
  const wasOverfull = overfull.has(list);
  if (store.size <= COUNTED) store.set(row.dataset.notiwayId, { row: wasOverfull ? null : row, state: row.dataset.state, fresh });
  if (wasOverfull || (!whole && store.size <= ROWS)) return;
  overfull.add(list);
  for (const entry of store.values()) entry.row = null;
}

/** How many a reader has not seen: "3", "999+", or nothing. */
export function countHeld(list) {
  const count = [...entriesOf(list).values()].filter((entry) => entry.fresh && entry.state === "unread").length;
  return count > COUNTED ? `${COUNTED}+` : count ? String(count) : "";
}

/** Give out the rows of a list, the oldest first, and hold none any longer. */
export function release(list) {
  const rows = [...entriesOf(list)].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, { row }]) => row);
  stores.delete(list);
  overfull.delete(list);
  return rows.filter(Boolean);
}

function setEntry(entry, state) {
  entry.state = state;
  if (entry.row) entry.row.dataset.state = state;
}

/** The rows that wait, of all lists. */
export const heldRows = () => [...stores.values()].flatMap((store) => [...store.values()].map(({ row }) => row).filter(Boolean));

export const setHeld = (id, state) => entries(id).forEach((entry) => setEntry(entry, state));

/** Mark as read, up to and including `before`; without it, all. */
export function readHeldUpTo(before) {
  for (const store of stores.values()) for (const [id, entry] of store) if (!before || id <= before) setEntry(entry, "read");
}

export function dropHeld(id) {
  for (const store of stores.values()) store.delete(id);
}
