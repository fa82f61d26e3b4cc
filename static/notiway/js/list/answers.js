// answers: what became of a notification's buttons goes to every place that shows them: rows, those that wait, toasts, banners.
import { speak } from "../page/live-region.js";
import { heldRows } from "./held.js";

const CHECK = 1000; // ms between two looks for presses that were interrupted
const all = (within) => [...within.querySelectorAll("[data-notiway-actions]")];

/** Put the buttons of `fresh` in the place of these. */
function renew(old, fresh) {
  const { activeElement } = document;
  const held = old.contains(activeElement);
  const copy = document.importNode(fresh, true);
  old.replaceWith(copy);
  if (!copy.isConnected) return;
  window.htmx?.process(copy);
  if (!held) return;
  (copy.querySelector("a, button") ?? copy.closest("[data-notiway-id]")?.querySelector("a"))?.focus();
  speak(copy.querySelector(".nw-answer")?.textContent.trim() ?? "");
}

/** Take over the buttons of a row that came, or was fetched. */
export function answered(row) {
  for (const fresh of all(row)) {
    const same = `[data-notiway-actions="${CSS.escape(fresh.dataset.notiwayActions)}"]`;
    for (const old of [...document.querySelectorAll(same), ...heldRows().flatMap((held) => [...held.querySelectorAll(same)])]) {
      if (old !== fresh && !old.isEqualNode(fresh)) renew(old, fresh);
    }
  }
}

/** A press that nobody finished: its buttons may be pressed again. */
function release(waiting) {
  if (Number(waiting.dataset.ends) > Date.now()) return;
  delete waiting.dataset.ends;
  waiting.dataset.status = "failed";
  waiting.querySelector(".nw-answer")?.replaceChildren("It was interrupted. Try again.");
  waiting.querySelectorAll("[data-notiway-again]").forEach((button) => (button.hidden = false));
}

export function start() {
  setInterval(() => document.querySelectorAll("[data-notiway-actions][data-ends]").forEach(release), CHECK);
}
