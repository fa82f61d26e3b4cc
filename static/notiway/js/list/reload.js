// reload: fetches a list again from its top, where too much came for adding it row by row.
import { lists, rowsOf } from "./rows.js";

/** The reader goes on at the newest row. */
export function toTop(list) {
  rowsOf(list)[0]?.querySelector("a")?.focus({ preventScroll: true });
  const scroller = list.closest("[data-notiway-scroll]");
  scroller ? scroller.scrollTo({ top: 0 }) : list.parentElement.scrollIntoView({ block: "start" });
}

const history = { target: "#notiway-results", select: "#notiway-results", swap: "outerHTML" };

/** Fetch a list again; `source` is what was pressed. When that fails, the list stays as it is. */
export async function reload(list, source, focus) {
  const { notiwayList: name } = list.dataset;
  const box = list.closest("[data-notiway-box]");
  if (box) await window.htmx?.ajax("GET", box.getAttribute("hx-get"), { source: box, target: box, swap: "innerHTML" });
  else await window.htmx?.ajax("GET", location.pathname + location.search, { source, ...history });
  const [come] = list.isConnected ? [] : lists().filter((each) => each.dataset.notiwayList === name && (!box || box.contains(each)));
  if (come && focus) toTop(come);
}
