// stack: at most three toasts, the rest wait, errors first; they rest while someone looks at them, errors stay until closed.
import { onDone } from "../list/rows.js";
import { draw } from "./draw.js";

const AT_ONCE = 3;
const FOLD = 3; // waiting ones beyond this many become a single line
const waiting = [];
const timers = new Map(); // toast -> { left, since, handle }
let origin = null; // where the focus was before it came into the toasts

const region = () => document.querySelector("[data-notiway-toasts]");
const stack = () => region().querySelector("ol");
const stay = () => Number(region().dataset.seconds) * 1000; // ms, for those that leave by themselves
const isHeld = () => document.hidden || region().matches(":hover") || region().contains(document.activeElement);

function open(toast) {
  const drawn = draw(toast);
  if (!toast.stays) timers.set(drawn, { left: stay() });
  stack().append(drawn);
}

function fill() {
  while (waiting.length && stack().childElementCount < AT_ONCE) open(waiting.shift());
  const any = stack().childElementCount > 0;
  if (region().showPopover && any !== region().matches(":popover-open")) any ? region().showPopover() : region().hidePopover();
  region().classList.toggle("notiway-toasts--any", any);
  tick();
}

/** A flood is not shown one by one for minutes: what waits is told as a number, with the way to the list. */
function fold() {
  const many = waiting.filter((toast) => !toast.stays);
  if (many.length <= FOLD) return;
  const count = many.reduce((sum, toast) => sum + (toast.count ?? 1), 0);
  waiting.splice(0, waiting.length, ...waiting.filter((toast) => toast.stays));
  waiting.push({ type: "info", title: `${count} more notifications`, href: region().dataset.history, count });
}

function close(toast) {
  if (!toast.isConnected) return;
  const next = toast.nextElementSibling ?? toast.previousElementSibling;
  if (toast.contains(document.activeElement)) (next?.querySelector("[data-notiway-close]") ?? origin)?.focus();
  clearTimeout(timers.get(toast)?.handle);
  timers.delete(toast);
  toast.remove();
  fill();
}

/** Run or rest every clock, as the pointer, the focus and the tab's visibility say. */
function tick() {
  const held = isHeld();
  for (const [toast, clock] of timers) {
    if (held && clock.handle) {
      clearTimeout(clock.handle);
      clock.left = Math.max(1000, clock.left - (Date.now() - clock.since));
      clock.handle = null;
    } else if (!held && !clock.handle) {
      clock.since = Date.now();
      clock.handle = setTimeout(close, clock.left, toast);
    }
  }
}

/** Show {type, title, message, href, linkText, stays, id}, now or when there is room. The same words are not stacked twice. */
export function showToast(toast) {
  if (!region()) return;
  const twin = [...stack().children].some((shown) => !toast.id && shown.querySelector(".notiway-toast__title").textContent === toast.title);
  if (twin) return;
  waiting.splice(toast.stays ? waiting.filter((other) => other.stays).length : waiting.length, 0, toast); // errors first
  fold();
  fill();
}

export function start() {
  const dropWaiting = (keep) => waiting.splice(0, waiting.length, ...waiting.filter(keep));
  onDone((id) => {
    dropWaiting((toast) => toast.id !== id);
    if (region()) stack().querySelectorAll(`[data-id="${CSS.escape(id)}"]`).forEach(close);
  });
  // Who opens the list sees there what the toasts said; errors still ask for an answer.
  document.addEventListener("notiway:open", () => {
    dropWaiting((toast) => toast.stays);
    [...timers.keys()].forEach(close);
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
  for (const name of ["pointerover", "pointerout", "focusin", "focusout", "visibilitychange"]) document.addEventListener(name, () => region() && queueMicrotask(tick));
}
