// stack: at most three toasts, one on a phone; they rest while someone looks at them. Errors and urgent ones stay until
// closed, and take the place of ordinary ones.
import { onDone } from "../list/rows.js";
import { isTimed, stop, tick, timed, wind } from "./clocks.js";
import { draw } from "./draw.js";
import { dequeue, enqueue, first, keep, summary, waits } from "./queue.js";
import { isHeld, isLookedAt, region, stack, title } from "./region.js";

const AT_ONCE = 3;
const PHONE = matchMedia("(width < 35rem)"); // one covers enough there
const BEHIND = 2_000; // ms after a count in which ordinary ones belong to the same burst
const LONGER = 2; // times as long, for those of high priority
const room = () => (PHONE.matches ? 1 : AT_ONCE);
const told = new WeakMap(); // what is shown -> what it was drawn from
let countedAt = 0; // when a number was drawn last
let origin = null; // where the focus was before it came into the toasts

/** Note what a toast tells, and begin its time. */
function tells(drawn, toast) {
  const seconds = Number(region().dataset.seconds) * (toast.priority === "high" ? LONGER : 1);
  stop(drawn);
  if (!toast.stays) wind(drawn, seconds * 1000);
  told.set(drawn, toast);
  if (toast.count) countedAt = Date.now();
  return drawn;
}

const made = (toast) => tells(draw(toast), toast);

/** Take an ordinary toast off the stack for one that stays: the oldest that nobody looks at. */
function makeRoom() {
  const ordinary = [...stack().children].filter(isTimed);
  const leaving = ordinary.find((shown) => !isLookedAt(shown)) ?? ordinary[0];
  if (leaving) take(leaving);
}

function fill() {
  while (first()) {
    if (stack().childElementCount >= room() && first().stays) makeRoom();
    if (stack().childElementCount >= room()) break;
    const toast = made(dequeue());
    stack().append(toast);
    if (toast.querySelector("[hx-post]")) window.htmx?.process(toast);
  }
  const any = stack().childElementCount > 0;
  if (region().showPopover && any !== region().matches(":popover-open")) any ? region().showPopover() : region().hidePopover();
  region().classList.toggle("notiway-toasts--any", any);
  tick(isHeld(), close);
}

function take(toast) {
  const next = toast.nextElementSibling ?? toast.previousElementSibling;
  if (toast.contains(document.activeElement)) (next?.querySelector("[data-notiway-close]") ?? origin)?.focus();
  stop(toast);
  toast.remove();
}

function close(toast) {
  if (!toast.isConnected) return;
  take(toast);
  fill();
}

/** What is shown of which a toast is a part: its group, or a number. What comes right behind a number counts, too. */
function whole(toast) {
  const shown = [...stack().children];
  const group = toast.group && shown.find((each) => told.get(each)?.group === toast.group);
  if (group) return { old: group, toast: { ...toast, members: (told.get(group).members ?? 1) + (toast.members ?? 1) } };
  const number = shown.find((each) => told.get(each)?.count && Boolean(told.get(each).away) === Boolean(toast.away));
  const isBehind = toast.id && !toast.stays && (toast.away || Date.now() - countedAt < BEHIND);
  return number && (toast.count || isBehind) ? { old: number, toast: summary([told.get(number), toast], region().dataset.history) } : null;
}

/** Change a toast in its place. */
function join({ old, toast }) {
  if (toast.count && old.dataset.type === toast.type) {
    old.querySelector(".notiway-toast__title").textContent = toast.title;
    return tells(old, toast);
  }
  const drawn = made(toast);
  const focused = old.contains(document.activeElement);
  stop(old);
  old.replaceWith(drawn);
  drawn.classList.add("notiway-toast--counting");
  if (focused) drawn.querySelector("[data-notiway-close]").focus();
  return drawn;
}

/** Show {type, title, message, href, linkText, stays, id, about, count}, now or when there is room; what it became, or
 *  became a part of. A failure that is told is not told twice. */
export function showToast(toast) {
  if (!region()) return toast;
  const isTold = [...stack().children].some((shown) => title(shown) === toast.title) || waits((other) => other.title === toast.title);
  if (!toast.id && !toast.count && isTold) return toast;
  const part = whole(toast);
  part ? join(part) : enqueue(toast, region().dataset.history);
  fill();
  return part?.toast ?? toast;
}

/** Many ordinary notifications that came together, as one toast. */
export const showMany = (toasts) => showToast(summary(toasts, region()?.dataset.history));

/** Take toasts back that nobody looks at, for they become part of a number; the ids of those that were there. */
export function withdraw(ids) {
  const wanted = new Set(ids);
  const found = new Set();
  keep(({ id }) => !wanted.has(id) || !found.add(id));
  for (const toast of [...stack().children]) {
    const { id } = toast.dataset;
    if (wanted.has(id) && !isLookedAt(toast)) found.add(id), take(toast);
  }
  return found;
}

function closeWhere(name, value) {
  keep((toast) => toast[name] !== value);
  if (region()) stack().querySelectorAll(`[data-${name}="${CSS.escape(value)}"]`).forEach(close);
}

/** Close what is no longer true. */
export const dismiss = (about) => closeWhere("about", about);

export function start() {
  onDone((id) => closeWhere("id", id));
  // Who opens the list sees there what the toasts said; errors still ask for an answer.
  document.addEventListener("notiway:open", () => {
    keep((toast) => toast.stays);
    timed().forEach(close);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-notiway-close]");
    if (button) close(button.closest(".notiway-toast"));
  });
  document.addEventListener("keydown", (event) => {
    const toast = event.key === "Escape" && event.target.closest?.(".notiway-toast");
    if (toast) event.preventDefault(), close(toast); // this Escape is not for the panel behind
  });
  document.addEventListener("focusin", ({ target, relatedTarget }) => {
    if (region()?.contains(target) && !region().contains(relatedTarget)) origin = relatedTarget;
  });
  for (const name of ["pointerover", "pointerout", "focusin", "focusout", "visibilitychange"]) document.addEventListener(name, () => region() && queueMicrotask(() => tick(isHeld(), close)));
}
