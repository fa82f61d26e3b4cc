// changes: what a frame says goes to every place on this page that shows it.
import { take as takeSettings } from "../attention/settings.js";
import { answered } from "../list/answers.js";
import { touched } from "../list/groups.js";
import { offer } from "../list/list.js";
import { copies, dropAll, hear, lists, note, readUpTo, setStates } from "../list/rows.js";
import { remembered } from "../page/remembered.js";
import { arrived, drawn } from "../toast/arrivals.js";
import { showFailure } from "../toast/failures.js";
import { live } from "./connection.js";
import { brought, refreshPlace } from "./reconcile.js";

const met = remembered();

function isNews(id) {
  if (met.has(id)) return false;
  met.add(id);
  return copies(id).length === 0 || brought.has(id);
}

const ids = (change) => (change.dataset.ids ?? "").split(" ").filter(Boolean);
const listChanges = {
  read: (change) => setStates(ids(change), "read"),
  unread: (change) => setStates(ids(change), "unread"),
  read_all: (change) => readUpTo(change.dataset.before),
  deleted: (change) => dropAll(ids(change), change.dataset.place),
  recalled: (change) => dropAll(ids(change)),
  answered: (change) => answered(change),
  restored(change) {
    const rows = [...change.children];
    dropAll(rows.map((row) => row.dataset.notiwayId), "inbox"); // out of the archive
    lists().forEach((list) => offer(list, rows, { restored: true }));
  },
};
const changes = {
  ...listChanges,
  deleted(change) {
    listChanges.deleted(change);
    if (change.dataset.place) refreshPlace(change.dataset.place);
  },
  restored(change) {
    listChanges.restored(change);
    if (change.dataset.woken) [...change.children].forEach((row) => arrived(row, change.dataset.woken));
  },
  connected: (change) => live(change.dataset.connectionId, "changed" in change.dataset),
  error: (change) => showFailure(change.dataset.message),
  settings: (change) => takeSettings(JSON.parse(change.dataset.settings)),
};

/** The rows that a child brings, if it is a new notification, or several that are shown in their own way besides. */
function newRows(child) {
  if (child.dataset.notiwayEvent === "quiet") return [...child.children];
  const isRow = child.dataset.notiwayId && !child.dataset.notiwayEvent;
  return isRow ? [child] : [];
}

/** Take in what came, in its order; new rows that follow each other are offered to the lists together. */
export function take(children) {
  let rows = [];
  const distribute = () => {
    const stored = rows.filter((row) => !("transient" in row.dataset));
    if (stored.length) lists().forEach((list) => offer(list, stored));
    rows = [];
  };
  for (const child of children) {
    const { notiwayEvent: kind, notiwayToast: toast } = child.dataset;
    if (toast) drawn(toast, child);
    for (const row of newRows(child)) {
      if (isNews(row.dataset.notiwayId) && kind !== "quiet") arrived(row);
      note(row.dataset.notiwayId);
      if (!("transient" in row.dataset)) hear(row.dataset.notiwayId);
      rows.push(row);
    }
    if (kind in changes) distribute(), changes[kind](child);
    if (kind in listChanges) touched(kind === "read_all" ? null : ids(child));
  }
  distribute();
}

/** Apply to the lists once more what came while one of them was on its way: what was fetched may be older. */
export function repeat(children) {
  for (const child of children) {
    const { notiwayEvent: kind } = child.dataset;
    const rows = newRows(child).filter((row) => !("transient" in row.dataset));
    if (rows.length) lists().forEach((list) => offer(list, rows));
    listChanges[kind]?.(child);
  }
}
