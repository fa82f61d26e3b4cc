// incoming: frames land in #notiway-incoming, hidden; from here each change goes to every place that shows it.
import { live } from "./connection.js";
import { offer, reveal, settle } from "../list/list.js";
import { showFailure } from "../toast/failures.js";
import { place } from "../page/place.js";
import { copies, dropAll, lists, note, readUpTo, setStates } from "../list/rows.js";
import { arrived } from "../toast/arrivals.js";

const REMEMBER = 500; // ids: a resumed connection repeats what it may have sent before
const met = new Set();

function isNews(id) {
  if (met.has(id)) return false;
  met.add(id);
  if (met.size > REMEMBER) met.delete(met.values().next().value);
  return copies(id).length === 0;
}

function distribute(row) {
  let original = row;
  for (const list of lists()) {
    const copy = original ?? row.cloneNode(true);
    if (!offer(list, copy)) continue;
    if (copy !== original) window.htmx?.process(copy);
    original = null;
  }
}

function created(row, quiet = false) {
  const news = isNews(row.dataset.notiwayId);
  if (!("transient" in row.dataset)) distribute(row);
  if (news && !quiet) arrived(row);
  note(row.dataset.notiwayId);
}

function updated(row) {
  for (const copy of copies(row.dataset.notiwayId)) {
    const next = row.cloneNode(true);
    next.hidden = copy.hidden;
    copy.replaceWith(next);
    window.htmx?.process(next);
  }
}

const ids = (change) => (change.dataset.ids ?? "").split(" ").filter(Boolean);
const changes = {
  quiet: (change) => [...change.children].forEach((row) => created(row, true)),
  read: (change) => setStates(ids(change), "read"),
  unread: (change) => setStates(ids(change), "unread"),
  read_all: (change) => readUpTo(change.dataset.before),
  deleted: (change) => dropAll(ids(change)),
  recalled: (change) => dropAll(ids(change)),
  restored: (change) => [...change.children].forEach(distribute),
  updated: (change) => [...change.children].forEach(updated),
  connected: (change) => live(change.dataset.connectionId),
  error: (change) => showFailure(change.dataset.message),
};

function drain() {
  const incoming = document.getElementById("notiway-incoming");
  if (!incoming?.childElementCount) return;
  for (const child of [...incoming.children]) {
    child.remove();
    const kind = child.dataset.notiwayEvent;
    if (kind) changes[kind]?.(child);
    else if (child.dataset.notiwayInto) place(child);
    else if (child.dataset.notiwayId) created(child);
  }
  incoming.replaceChildren(); // what an event's own template wrote beside its elements
  lists().forEach(settle);
  document.dispatchEvent(new CustomEvent("notiway:change"));
}

export function start() {
  drain();
  document.addEventListener("htmx:after:swap", () => {
    drain();
    lists().forEach(settle);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-notiway-fresh]");
    if (button) reveal(button.parentElement.querySelector("[data-notiway-list]"), { focus: true });
  });
}
