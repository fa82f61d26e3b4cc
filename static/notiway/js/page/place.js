// place: what an event's own template draws (templates/events/<name>.html) goes where its data-notiway-into says:
// it replaces the element of the same id, or becomes the first in that place. A page without either is left alone.
import { speak } from "./live-region.js";

const inPage = (id) => [...document.querySelectorAll(`#${CSS.escape(id)}`)].find((each) => !each.closest("#notiway-incoming"));

/** Put one element into the page; whether there was a place for it. It is told of by "notiway:placed", and spoken where it has data-notiway-say. */
export function place(part) {
  const old = part.id ? inPage(part.id) : null;
  const home = old ? null : part.dataset.notiwayInto && document.querySelector(part.dataset.notiwayInto);
  if (!old && !home) return false;
  const focused = old?.contains(document.activeElement);
  old ? old.replaceWith(part) : home.prepend(part);
  if (focused) part.querySelector("a, button")?.focus();
  const { notiwaySay: say } = part.dataset;
  if (say && say !== old?.dataset.notiwaySay) speak(say);
  part.dispatchEvent(new CustomEvent("notiway:placed", { bubbles: true }));
  return true;
}
