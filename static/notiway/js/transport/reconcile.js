// reconcile: after a break, bring the lists on this page in line with the server, without moving what is read.
import { refresh as refreshBanners } from "../banner/banners.js";
import { answered } from "../list/answers.js";
import { touched } from "../list/groups.js";
import { dropHeld, heldIds, setHeld } from "../list/held.js";
import { offer, settle } from "../list/list.js";
import { isPending, lists, newestId, placeOf, removeRow, rowsOf, setState } from "../list/rows.js";
import { fetchParts } from "../page/background.js";
import { remembered } from "../page/remembered.js";

function source(list) {
  if (list.dataset.notiwayList === "recent") return list.closest("[data-notiway-box]")?.getAttribute("hx-get");
  return list.dataset.page === "first" ? location.pathname + location.search : null;
}

/** What the server has; rows come from a template element, so nothing in them runs or loads. */
async function fetchRows(url, max) {
  const parts = await fetchParts(url);
  if (!parts) return null;
  const rows = new Map([...parts.querySelectorAll("[data-notiway-id]")].map((row) => [row.dataset.notiwayId, row]));
  return { rows, whole: rows.size < max && parts.querySelector("[data-notiway-more]") === null };
}

async function refresh(list, options) {
  const url = source(list);
  const newestBefore = newestId();
  const answer = url && (await fetchRows(url, Number(list.dataset.max ?? Infinity)));
  if (!answer) return;
  const oldest = answer.whole ? "" : [...answer.rows.keys()].at(-1);
  for (const row of rowsOf(list)) {
    const id = row.dataset.notiwayId;
    const fetched = answer.rows.get(id);
    if (fetched) setState(row, fetched.dataset.state), answered(fetched);
    else if (isPending(row) || id < oldest || id > newestBefore) continue;
    else if (list.dataset.state === "unread") setState(row, "read");
    else if (list.dataset.state !== "read") removeRow(row);
  }
  for (const id of heldIds(list)) {
    const fetched = answer.rows.get(id);
    if (fetched) setHeld(id, fetched.dataset.state);
    else if (id >= oldest && id <= newestBefore) dropHeld(id);
  }
  for (const id of answer.rows.keys()) if (id > newestBefore) brought.add(id);
  offer(list, [...answer.rows.values()].map((row) => document.importNode(row, true)), options);
  settle(list);
}

/** Rows that a look brought before their frames came: nobody has been told of them. */
export const brought = remembered();

const tell = (name) => document.dispatchEvent(new CustomEvent(name));

/** Something was put away: lists of that place show it, and it has not come with the news. */
export async function refreshPlace(place) {
  await Promise.allSettled(lists().filter((list) => placeOf(list) === place).map((list) => refresh(list, { restored: true })));
  tell("notiway:change");
}

/** Refresh every list that has been loaded; a failure leaves the list as it is, the next break tries again. */
export async function reconcile() {
  await Promise.allSettled([...lists().map((list) => refresh(list)), refreshBanners()]);
  touched();
  tell("notiway:change");
  tell("notiway:reconciled");
}
