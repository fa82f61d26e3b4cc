// filters: a clean address (no empty fields), a word for screen readers when the list below has changed, and the button
// behind which a phone keeps the choices, with their number.
import { speak } from "../page/live-region.js";

function tidy(event) {
  const { ctx } = event.detail;
  if (!ctx.sourceElement.matches?.("[data-notiway-filters]")) return;
  for (const [name, value] of [...ctx.request.body]) {
    if (!value || (name === "state" && value === "all")) ctx.request.body.delete(name);
  }
}

function tell(event) {
  if (!event.detail.ctx.sourceElement?.matches?.("[data-notiway-filters]")) return;
  const shown = document.querySelectorAll("#notiway-results [data-notiway-id]").length;
  const more = document.querySelector("#notiway-results [data-notiway-more]");
  const nothing = more ? "Nothing found yet. Search further" : "Nothing matches";
  speak(shown ? `${shown}${more ? " or more" : ""} notifications` : nothing);
}

/** How many choices narrow the list. */
function count() {
  const form = document.querySelector("[data-notiway-filters]");
  const chosen = [...(form?.querySelectorAll("select") ?? [])].filter((choice) => choice.value).length;
  if (form) form.querySelector("[data-notiway-filters-count]").textContent = chosen || "";
}

function toggle(event) {
  const button = event.target.closest?.("[data-notiway-filters-toggle]");
  if (button) button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") !== "true"));
}

export function start() {
  count();
  document.addEventListener("change", count);
  document.addEventListener("click", toggle);
  addEventListener("pageshow", count); // browsers restore choices after this module ran
  document.addEventListener("htmx:config:request", tidy);
  document.addEventListener("htmx:after:swap", tell);
}
