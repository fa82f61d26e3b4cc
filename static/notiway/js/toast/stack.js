// stack: at most three toasts, one on a phone; they rest while someone looks at them. Errors and urgent ones stay until
// closed, and take the place of ordinary ones.
import { onDone } from "../list/rows.js";
import { isTimed, stop, tick, timed, wind } from "./clocks.js";
import { draw } from "./draw.js";
import { dequeue, enqueue, first, keep, summary, waits } from "./queue.js";
import { isHeld, isLookedAt, region, stack, title } from "./region.js";

const AT_ONCE = 3;
const PHONE = matchMedia("(width < 35rem)"); // one covers enough there
const BEHIND = 400; // ms after a count in which ordinary ones belong to the same burst
const LONGER = 2; // times as long, for those of high priority
const room = () => (PHONE.matches ? 1 : AT_ONCE);
const counts = new WeakMap(); // a toast that tells of many -> the toast it was drawn from
let countedAt = 0; // when such a toast was drawn last
let origin = null; // where the focus was before it came into the toasts

function made(toast) {
  const drawn = draw(toast);
  const seconds = Number(region().dataset.seconds) * (toast.priority === "high" ? LONGER : 1);
  if (!toast.stays) wind(drawn, seconds * 1000);
  if (toast.count) counts.set(drawn, toast), (countedAt = Date.now());
  return drawn;
}

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

/** A count joins the one that is on the screen, so that the number there is the whole; what comes right behind it, too. */
function join(toast) {
  const shown = [...stack().children].find((each) => counts.has(each));
  const isBehind = toast.id && !toast.stays && Date.now() - countedAt < BEHIND;
  if (!shown || !(toast.count || isBehind)) return false;
  const drawn = made(summary([counts.get(shown), toast], toast.href));
  const focused = shown.contains(document.activeElement);
  stop(shown);
  shown.replaceWith(drawn);
  if (focused) drawn.querySelector("[data-notiway-close]").focus();
  return true;
}

/** Show {type, title, message, href, linkText, stays, id, about, count}, now or when there is room. A failure that is told is not told twice. */
export function showToast(toast) {
  if (!region()) return;
  const isTold = [...stack().children].some((shown) => title(shown) === toast.title) || waits((other) => other.title === toast.title);
  if (!toast.id && !toast.count && isTold) return;
  if (!join(toast)) enqueue(toast, region().dataset.history);
  fill();
}

/** Many ordinary notifications that came together, as one toast. */
export function showMany(toasts) {
  const toast = summary(toasts, region()?.dataset.history);
  showToast(toast);
  return toast;
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
