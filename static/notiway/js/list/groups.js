// groups: one row stands for the notifications of a group. When one of them comes, changes or goes, the server draws that
// row again; its members open below it.
import { fetchParts } from "../page/background.js";
import { isBusy } from "./busy.js";
import { insert } from "./insert.js";
import { lists, removeRow, rowsOf } from "./rows.js";

const SOON = 150; // ms: one request for a burst…
const waiting = new Map(); // list -> the keys of groups to be drawn again
let timer = null; // … and no second one before the first is answered

const isGroup = (row) => "members" in row.dataset;
const rowsOfGroup = (list, key) => rowsOf(list).filter((row) => row.dataset.group === key);
const membersOf = (row) => (row.nextElementSibling?.matches("[data-notiway-members]") ? row.nextElementSibling : null);

function renew(list, key) {
  if (!waiting.has(list)) waiting.set(list, new Set());
  waiting.get(list).add(key);
  timer ??= setTimeout(drawAll, SOON);
}

/** Whether a row goes into one that stands in this list already; that one is drawn again. */
export function absorbs(list, row) {
  const { group: key } = row.dataset;
  if (!key || !list.dataset.grouped || !rowsOfGroup(list, key).length) return false;
  renew(list, key);
  return true;
}

/** These notifications changed, or all did: so may have the rows that stand for them. */
export function touched(ids = null) {
  const changed = ids && new Set(ids);
  for (const list of lists()) {
    for (const row of rowsOf(list).filter(isGroup)) {
      if (!changed || row.dataset.members.split(" ").some((id) => changed.has(id))) renew(list, row.dataset.group);
    }
  }
}

async function drawAll() {
  const due = [...waiting].flatMap(([list, keys]) => [...keys].map((key) => [list, key]));
  waiting.clear();
  await Promise.allSettled(due.map(([list, key]) => draw(list, key)));
  document.dispatchEvent(new CustomEvent("notiway:change"));
  timer = waiting.size ? setTimeout(drawAll, SOON) : null;
}

async function draw(list, key) {
  if (!list.isConnected) return;
  const query = new URLSearchParams({ key, state: list.dataset.state });
  const parts = await fetchParts(`${list.dataset.grouped}?${query}`);
  if (!parts || !list.isConnected) return; // as it was: the next change tries again
  const row = parts.querySelector("[data-notiway-id]");
  const known = rowsOfGroup(list, key);
  if (!row) return known.forEach(leave);
  const [old] = known;
  if (old?.isEqualNode(row)) return;
  const focus = known.map(focusOf).find(Boolean);
  const isOpen = known.some(membersOf);
  // Under a reader's eyes it changes where it is; else it goes where its newest member belongs.
  const copy = old && isBusy(list) ? insert(list, row, old) : insert(list, row);
  known.forEach(take);
  if (old?.dataset.notiwayId === row.dataset.notiwayId) copy.classList.remove("notiway-item--arriving");
  if (isOpen && isGroup(copy)) await open(copy);
  if (focus) (place(copy, focus) ?? copy.querySelector("a, button")).focus();
}

/** What has the focus in a row or among its members, by its notification and what it does there. */
function focusOf(row) {
  const focused = [row, membersOf(row)].find((part) => part?.contains(document.activeElement)) && document.activeElement;
  return focused && { id: focused.closest("[data-notiway-id]")?.dataset.notiwayId, action: focused.dataset.notiwayAction };
}

function place(row, { id, action }) {
  const among = [row, ...(membersOf(row)?.querySelectorAll("[data-notiway-id]") ?? [])];
  const same = among.findLast((each) => each.dataset.notiwayId === id);
  return same?.querySelector(action ? `[data-notiway-action="${action}"]:not([hidden])` : "a, button");
}

function take(row) {
  membersOf(row)?.remove();
  row.remove();
}

function leave(row) {
  membersOf(row)?.remove();
  removeRow(row);
}

async function open(row) {
  const link = row.querySelector("[data-notiway-group-open]");
  link.setAttribute("aria-busy", "true");
  const parts = await fetchParts(link.href).catch(() => null);
  link.removeAttribute("aria-busy");
  if (!parts) return void location.assign(link.href); // a page of its own
  if (!row.isConnected || membersOf(row)) return;
  const holder = document.createElement("div");
  const list = Object.assign(document.createElement("div"), { className: "notiway-group__members" });
  holder.dataset.notiwayMembers = list.id = `notiway-group-${row.parentElement.dataset.notiwayList}-${row.dataset.notiwayId}`;
  holder.className = "notiway-group__holder";
  holder.setAttribute("role", row.parentElement.getAttribute("role") === "feed" ? "article" : "listitem");
  list.setAttribute("role", "list");
  list.setAttribute("aria-label", row.querySelector(".notiway-item__title").lastChild.textContent.trim());
  list.append(parts);
  holder.append(list);
  row.after(holder);
  window.htmx?.process(holder);
  tell(row, link);
  document.dispatchEvent(new CustomEvent("notiway:change"));
}

function tell(row, link = row.querySelector("[data-notiway-group-open]")) {
  const members = membersOf(row);
  link.setAttribute("aria-expanded", String(Boolean(members)));
  members ? link.setAttribute("aria-controls", members.dataset.notiwayMembers) : link.removeAttribute("aria-controls");
  link.dataset.words ??= link.firstChild.data;
  link.firstChild.data = members ? "Show less" : link.dataset.words;
}

function toggled(event) {
  const link = event.target.closest?.("[data-notiway-group-open]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const row = link.closest("[data-notiway-id]");
  if (!membersOf(row)) return void open(row);
  membersOf(row).remove();
  tell(row, link);
}

/** Members whose row has left. */
function tidy() {
  for (const holder of document.querySelectorAll("[data-notiway-members]")) {
    if (!holder.dataset.notiwayMembers.endsWith(holder.previousElementSibling?.dataset.notiwayId)) holder.remove();
  }
}

/** With scripts the link is a button: it leads nowhere else. */
function settled() {
  for (const link of document.querySelectorAll("[data-notiway-group-open]:not([role])")) {
    link.setAttribute("role", "button");
    link.setAttribute("aria-expanded", "false");
  }
  tidy();
}

function pressed(event) {
  if (event.key !== " " || !event.target.matches?.("[data-notiway-group-open]")) return;
  event.preventDefault();
  event.target.click();
}

export function start() {
  settled();
  document.addEventListener("click", toggled);
  document.addEventListener("keydown", pressed);
  for (const name of ["notiway:change", "htmx:after:swap"]) document.addEventListener(name, settled);
}
