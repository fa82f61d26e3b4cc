// choice: the moments to snooze until, beside the button that asked; what is chosen goes to the server as a moment.
import { atHour, until } from "../page/time.js";
import { choices } from "./moments.js";

const EDGE = 8; // px kept free between the choice and the window
const LONGEST = 366 * 86_400_000; // ms: the server takes no more
const choice = () => document.getElementById("notiway-snooze");
const field = () => choice().querySelector("input");
let asker = null; // the button that opened it

/** As a field for date and time has it. */
function local(date) {
  const moved = new Date(date - date.getTimezoneOffset() * 60_000);
  return moved.toISOString().slice(0, 16);
}

function fill() {
  const offered = choices();
  for (const button of choice().querySelectorAll("[data-notiway-moment]")) {
    const moment = offered.get(button.dataset.notiwayMoment);
    button.hidden = !moment;
    if (moment) button.lastElementChild.textContent = button.dataset.notiwayMoment === "monday" ? until(moment) : atHour(moment);
  }
  const now = Date.now();
  Object.assign(field(), { min: local(new Date(now)), max: local(new Date(now + LONGEST - 86_400_000)), value: local(offered.get("tomorrow")) });
}

function place() {
  const button = asker.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = choice();
  const below = button.bottom + EDGE / 2;
  const top = below + height + EDGE > innerHeight ? Math.max(EDGE, button.top - height - EDGE / 2) : below;
  choice().style.setProperty("--notiway-snooze-top", `${top}px`);
  choice().style.setProperty("--notiway-snooze-left", `${Math.min(Math.max(EDGE, button.right - width), innerWidth - width - EDGE)}px`);
}

function toggled(event) {
  if (event.target !== choice()) return;
  asker?.setAttribute("aria-expanded", String(event.newState === "open"));
  if (event.newState !== "open") return;
  place();
  choice().querySelector("button:not([hidden])").focus();
}

function choose(moment) {
  const button = asker;
  choice().hidePopover();
  window.htmx?.ajax("PUT", button.dataset.notiwaySnooze, { source: button, swap: "none", values: { until: moment.getTime() } });
}

function clicked({ target }) {
  const button = target.closest?.("[data-notiway-snooze]");
  if (button) return (asker = button), fill();
  const name = target.closest?.("[data-notiway-moment]")?.dataset.notiwayMoment;
  return name && choose(choices().get(name));
}

export function start() {
  document.addEventListener("click", clicked, true); // before the popover opens
  document.addEventListener("toggle", toggled, true); // does not bubble
  document.addEventListener("submit", (event) => {
    if (!event.target.matches?.("[data-notiway-own-moment]")) return;
    event.preventDefault();
    choose(new Date(field().value));
  });
  document.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !choice()?.contains(event.target) || !event.target.matches("button")) return;
    const buttons = [...choice().querySelectorAll("button:not([hidden])")];
    event.preventDefault();
    buttons[(buttons.indexOf(event.target) + step + buttons.length) % buttons.length].focus();
  });
}
