// shortcuts: single keys on the history page and in the open panel. Never while somebody types, never with a modifier, and
// not at all for readers who have turned them off (WCAG 2.1.4).
import { moreOf } from "./rows.js";

const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]:not([contenteditable=false])";
const STEP = { j: 1, k: -1 };
const panel = () => document.getElementById("notiway-panel");
const sheet = () => document.querySelector("[data-notiway-sheet]");
const isOff = () => document.querySelector("[data-notiway-shortcuts=off]") !== null;

/** The list that keys are for: that of the open panel, else the history. */
function list() {
  const open = panel()?.matches(":popover-open") ? panel() : null;
  return (open ?? document).querySelector(open ? "[data-notiway-list]" : "[data-notiway-list=history]");
}

const rowsIn = (place) => [...place.querySelectorAll(":scope > [data-notiway-id]:not([hidden])")];
const current = () => list()?.contains(document.activeElement) && document.activeElement.closest("[data-notiway-id]");

function move(step) {
  const rows = rowsIn(list());
  const here = rows.indexOf(current());
  const row = here < 0 ? rows[0] : rows[here + step];
  const target = row ? (row.querySelector("a, button") ?? row) : step > 0 && moreOf(list());
  if (!target) return;
  target.focus({ preventScroll: true });
  target.closest("[data-notiway-id], .notiway-more").scrollIntoView({ block: "nearest" });
}

function press(...names) {
  const buttons = names.map((name) => current()?.querySelector?.(`[data-notiway-action="${name}"]`));
  buttons.find(Boolean)?.click();
}

const KEYS = {
  j: () => move(STEP.j),
  k: () => move(STEP.k),
  x: () => current() && current().querySelector("input[name=ids]")?.checkVisibility() && current().querySelector("input[name=ids]").click(),
  e: () => press("archive"),
  u: () => current() && press(current().dataset.state === "read" ? "unread" : "read"),
  "/": () => document.querySelector("[data-notiway-filters] [name=text]")?.focus(),
  "?": show,
};

function show() {
  for (const key of sheet()?.querySelectorAll("[data-notiway-key]") ?? []) key.hidden = !document.querySelector(`[data-notiway-action="${key.dataset.notiwayKey}"]`);
  if (sheet() && !sheet().open) sheet().showModal();
}

function pressed(event) {
  const { key, target } = event;
  if (event.defaultPrevented || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
  if (!(key in KEYS) || !list() || isOff() || target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
  if (key === "/" && panel()?.matches(":popover-open")) return;
  event.preventDefault();
  KEYS[key]();
}

export function start() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("click", (event) => event.target.closest?.("[data-notiway-keys]") && show());
}
