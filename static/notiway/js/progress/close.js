// close: a bar whose task has ended goes at a press, and pages that are loaded later do not show it either.
import { showFailure } from "../toast/failures.js";
import { request } from "./request.js";

function remove(bar) {
  const focused = bar.contains(document.activeElement);
  const others = [...bar.parentElement.querySelectorAll("[data-notiway-close-task] button")].filter((button) => !bar.contains(button));
  bar.remove();
  if (focused) (others[0] ?? document.querySelector("[data-notiway-bell]:not([hidden]), [data-notiway-link]:not([hidden])"))?.focus();
}

async function close(event) {
  const form = event.target.closest?.("[data-notiway-close-task]");
  if (!form) return;
  event.preventDefault();
  const answer = await request(form.getAttribute("action"), { method: "POST", background: false }).catch(() => null);
  // 404: it is a producer's own, or was closed elsewhere.
  if (answer?.status === 204 || answer?.status === 404) remove(form.closest(".notiway-progress"));
  else showFailure("The bar could not be closed. Try again.");
}

export function start() {
  document.addEventListener("submit", close);
}
