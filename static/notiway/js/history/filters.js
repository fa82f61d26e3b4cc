// filters: a clean address (no empty fields) and a word for screen readers when the list below has changed.
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

export function start() {
  document.addEventListener("htmx:config:request", tidy);
  document.addEventListener("htmx:after:swap", tell);
}
