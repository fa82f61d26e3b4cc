// panel: opens below the bell. The popover does opening, Escape and the click outside; this adds what it lacks.
import { isOverfull } from "../list/held.js";
import { reveal } from "../list/list.js";
import { lists } from "../list/rows.js";

const EDGE = 8; // px kept free between the panel and the window
const GAP = 4; // px below the bell
const panel = () => document.getElementById("notiway-panel");
const recent = () => document.getElementById("notiway-recent");
const trigger = () => document.querySelector("[data-notiway-bell]");
const isOpen = () => panel()?.matches(":popover-open") ?? false;

/** With scripts and popovers the bell is a button; else it stays the link to the history page. */
function upgrade() {
  if (!("popover" in HTMLElement.prototype) || !trigger()?.hidden) return;
  trigger().hidden = false;
  document.querySelector("[data-notiway-link]").hidden = true;
}

function position() {
  if (!isOpen()) return;
  const bell = trigger().getBoundingClientRect();
  const width = panel().offsetWidth;
  const end = Math.min(Math.max(EDGE, innerWidth - bell.right), Math.max(EDGE, innerWidth - width - EDGE));
  panel().style.setProperty("--notiway-panel-end", `${end}px`);
  panel().style.setProperty("--notiway-panel-top", `${Math.max(EDGE, Math.min(bell.bottom + GAP, innerHeight - 240))}px`);
}

function load() {
  panel().dataset.status = "loading";
  window.htmx?.trigger(recent(), "notiway:load");
}

function fail(event) {
  if (event.detail.ctx?.sourceElement !== recent()) return;
  const status = event.detail.ctx.response?.status;
  const isSignedOut = status === 401;
  const words = isSignedOut ? "You are signed out." : status ? "Something went wrong on the server. Try again in a moment." : "Check your connection and try again.";
  panel().querySelector("[data-notiway-error-text]").textContent = words;
  panel().querySelector("[data-notiway-retry]").hidden = isSignedOut;
  panel().querySelector("[data-notiway-sign-in]").hidden = !isSignedOut;
  panel().dataset.status = "error";
}

function toggled(event) {
  if (event.target !== panel()) return;
  const open = event.newState === "open";
  trigger().setAttribute("aria-expanded", String(open));
  if (open) {
    position();
    if (panel().dataset.status !== "ready") load();
    document.dispatchEvent(new CustomEvent("notiway:open"));
  } else {
    for (const list of lists().filter((list) => panel().contains(list))) {
      if (isOverfull(list)) panel().dataset.status = "stale"; // fetched again when it is opened
      else reveal(list);
    }
  }
}

export function start() {
  upgrade();
  document.addEventListener("toggle", toggled, true); // does not bubble
  document.addEventListener("htmx:response:error", fail);
  document.addEventListener("htmx:error", fail);
  document.addEventListener("htmx:after:swap", (event) => {
    upgrade();
    if (event.detail.ctx.sourceElement === recent() && event.detail.ctx.response?.status === 200) panel().dataset.status = "ready";
  });
  document.addEventListener("notiway:connected", () => panel()?.dataset.status === "error" && load());
  document.addEventListener("click", (event) => event.target.closest?.("[data-notiway-retry]") && load());
  document.addEventListener("focusin", ({ target }) => {
    const away = isOpen() && !panel().contains(target) && target !== trigger() && !target.closest("[data-notiway-toasts], [data-notiway-over]");
    if (away) panel().hidePopover(); // tabbing on must not leave the focus under the panel
  });
  addEventListener("resize", position);
  addEventListener("scroll", position, { passive: true });
}
