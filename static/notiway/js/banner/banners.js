// banners: announcements leave when they are read anywhere, dismissed here, or over; the reader's focus is kept.
import { onDone } from "../list/rows.js";

const CHECK = 1000; // ms between two looks at the clock
const SHOWN = 3; // at once; the next one comes up when one of them leaves
const GRAVE = ["warning", "critical"];
const boxes = () => [...document.querySelectorAll("[data-notiway-banners]")];
let skew = 0; // ms that this clock is ahead of the server's

const rank = (banner) => GRAVE.indexOf(banner.dataset.severity);
const order = (one, other) => rank(other) - rank(one) || (one.dataset.notiwayId < other.dataset.notiwayId ? 1 : -1);
const holdsFocus = (banner) => banner.contains(document.activeElement);

/** The gravest first, then the newest, no more than are shown at once; what has the focus neither moves nor hides. */
function arrange(box) {
  const sorted = [...box.children].sort(order);
  if (sorted.some((banner, index) => box.children[index] !== banner)) {
    const held = sorted.find(holdsFocus);
    if (held) held.before(...sorted.slice(0, sorted.indexOf(held))), held.after(...sorted.slice(sorted.indexOf(held) + 1));
    else box.append(...sorted);
  }
  sorted.forEach((banner, index) => (banner.hidden = index >= SHOWN && !holdsFocus(banner)));
}

function remove(banner) {
  const focused = banner.contains(document.activeElement);
  const box = banner.parentElement;
  const next = banner.nextElementSibling ?? banner.previousElementSibling;
  banner.remove();
  arrange(box);
  if (focused) (next?.querySelector("button") ?? document.querySelector("[data-notiway-bell]:not([hidden]), [data-notiway-link]:not([hidden])"))?.focus();
}

function sweep() {
  const now = Date.now() - skew;
  for (const banner of document.querySelectorAll("[data-notiway-expires]")) if (Number(banner.dataset.notiwayExpires) <= now) remove(banner);
  boxes().forEach(arrange);
}

/** How much of the window's bottom floating banners cover: toasts and jumps keep clear of it. */
function measure([{ target }]) {
  const height = target.matches(".notiway-banners--floating") ? target.offsetHeight : 0;
  document.documentElement.style.setProperty("--notiway-banners-height", `${height}px`);
}

/** After a break: what was dismissed or withdrawn meanwhile goes, what is new comes. */
export async function refresh() {
  for (const box of boxes()) {
    const answer = await fetch(box.dataset.notiwayBanners, { headers: { "HX-Request": "true", "X-Notiway-Background": "1" }, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return;
    const template = document.createElement("template");
    template.innerHTML = await answer.text();
    const fresh = [...template.content.querySelectorAll("[data-notiway-id]")];
    const ids = new Set(fresh.map((banner) => banner.id));
    for (const banner of [...box.children]) if (!ids.has(banner.id) && !banner.querySelector("[data-notiway-dismiss]")) remove(banner);
    for (const banner of fresh.filter((each) => !document.getElementById(each.id)).reverse()) {
      const copy = document.importNode(banner, true);
      box.prepend(copy);
      window.htmx?.process(copy);
    }
    arrange(box);
  }
}

export function start() {
  const [box] = boxes();
  if (!box) return;
  skew = Date.now() - Number(box.dataset.now);
  onDone((id) => document.querySelectorAll(`[data-notiway-banners] > [data-notiway-id="${CSS.escape(id)}"]`).forEach(remove));
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-notiway-dismiss]");
    if (button) remove(button.closest("[data-notiway-banners] > *"));
  });
  document.addEventListener("notiway:placed", ({ target }) => target.matches("[data-notiway-banners] > *") && arrange(target.parentElement));
  document.addEventListener("visibilitychange", sweep);
  new ResizeObserver(measure).observe(box);
  sweep();
  setInterval(sweep, CHECK);
}
