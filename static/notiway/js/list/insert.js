// insert: puts a copy of a row into a list.
import { rowsOf } from "./rows.js";

const placeOf = (list, id) => rowsOf(list).find((other) => other.dataset.notiwayId < id) ?? null;

/** In the order of the ids, or in front of another row. */
export function insert(list, row, before = placeOf(list, row.dataset.notiwayId)) {
  const copy = document.importNode(row, true);
  copy.classList.add("notiway-item--arriving");
  list.insertBefore(copy, before);
  window.htmx?.process(copy);
  return copy;
}
