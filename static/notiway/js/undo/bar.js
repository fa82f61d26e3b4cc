// bar: the one line that says what was just done, with Undo. It stays a while, longer while someone looks at it; what
// is done next takes its place, and what it said before is final. Ctrl+Z does the same, outside fields.
import { speak } from "../page/live-region.js";
import { isPointedAt } from "../page/pointer.js";

const SECONDS = 8;
const TICK = 250; // ms
const bar = () => document.getElementById("notiway-undo");
const form = () => bar()?.querySelector("[data-notiway-undo]");
let left = 0; // ms until it goes
let timer = null;
let origin = null; // where the focus was before it came into the bar

const isLookedAt = () => document.hidden || isPointedAt(bar()) || bar().contains(document.activeElement);

/** Above everything, also above an open panel, for the one that was shown last lies on top. */
function raise() {
  if (!bar().showPopover) return;
  if (bar().matches(":popover-open")) bar().hidePopover();
  if (bar().childElementCount) bar().showPopover();
}

function clear() {
  clearInterval(timer);
  timer = null;
  if (!bar()) return;
  if (bar().contains(document.activeElement)) (origin?.isConnected ? origin : document.querySelector("[data-notiway-bell]"))?.focus();
  bar().replaceChildren();
  raise();
}

function tick() {
  if (!bar()?.childElementCount) return clear();
  if (!isLookedAt()) left -= TICK;
  return left <= 0 ? clear() : undefined;
}

/** Something new is said there. */
function shown() {
  if (!bar()?.childElementCount) return;
  left = SECONDS * 1000;
  timer ??= setInterval(tick, TICK);
  raise();
}

const isOurs = (ctx) => ctx?.sourceElement?.matches?.("[data-notiway-undo]") && bar()?.contains(ctx.sourceElement);

function done({ detail: { ctx } }) {
  if (!isOurs(ctx) || !(ctx.response?.status < 400)) return;
  clear();
  speak("Undone");
}

function pressed(event) {
  if (event.key === "Escape" && bar()?.contains(event.target)) return clear();
  const isUndo = event.key === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
  if (!isUndo || !form() || event.target.closest?.("input, textarea, select, [contenteditable]")) return undefined;
  event.preventDefault();
  return form().requestSubmit();
}

/** The panel lies over the page: while it is open, the bar lies in it. */
function move({ target, newState }) {
  if (target.id !== "notiway-panel" || !bar()) return;
  const place = newState === "open" ? target : target.parentElement;
  if (bar().parentElement === place) return;
  place.append(bar());
  setTimeout(raise); // once the panel is where it goes
}

const observer = new MutationObserver(shown);
let watched = null;
function watch() {
  if (bar() === watched || !bar()) return;
  watched = bar();
  observer.disconnect();
  observer.observe(watched, { childList: true });
}

export function start() {
  watch();
  document.addEventListener("htmx:after:swap", ({ detail }) => detail.ctx.response && watch());
  document.addEventListener("htmx:after:request", done);
  document.addEventListener("keydown", pressed);
  document.addEventListener("beforetoggle", move, true); // does not bubble
  document.addEventListener("focusin", ({ target, relatedTarget }) => {
    if (bar()?.contains(target) && !bar().contains(relatedTarget)) origin = relatedTarget;
  });
}
