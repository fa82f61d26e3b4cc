// incoming: frames land in #notiway-incoming, hidden, and are taken in together, once for each frame of the screen.
import { reveal, settle } from "../list/list.js";
import { lists } from "../list/rows.js";
import { place } from "../page/place.js";
import { repeat, take } from "./changes.js";

const SLOWEST = 100; // ms: a hidden tab draws no frames, but hears all the same
const LISTS = "#notiway-results, [data-notiway-box], .notiway-more, .notiway-history"; // what requests bring rows into
const fetching = new Set(); // the requests for rows that are on their way…
let meanwhile = []; // … and what came since
let due = null;

/**
 * What has a place of its own goes there at once, for its id must not be on the page twice. The row of a notification
 * comes behind its parts: where the page has no place for any of them, it makes a toast.
 */
function placeParts() {
  let placed = null;
  for (const child of [...(document.getElementById("notiway-incoming")?.children ?? [])]) {
    if (child.dataset.notiwayInto) {
      child.remove();
      placed = place(child) || placed === true;
    } else if (child.dataset.notiwayEvent === "quiet") {
      if (placed === false) child.replaceWith(...child.children);
      placed = null;
    }
  }
}

/** All that came since the last frame of the screen, at once: a flood costs as many rounds as the screen shows. */
function drain() {
  clearTimeout(due?.timer);
  cancelAnimationFrame(due?.frame);
  due = null;
  placeParts();
  const incoming = document.getElementById("notiway-incoming");
  const children = [...(incoming?.children ?? [])];
  incoming?.replaceChildren();
  take(children);
  if (fetching.size) meanwhile.push(...children);
  lists().forEach(settle);
  if (children.length) document.dispatchEvent(new CustomEvent("notiway:change"));
}

function soon() {
  placeParts();
  due ??= { timer: setTimeout(drain, SLOWEST), frame: requestAnimationFrame(drain) };
}

/** A list that was fetched may be older than what came while it was on its way: that is taken in once more. */
function fetched({ detail: { ctx } }) {
  if (!fetching.delete(ctx) || fetching.size) return;
  repeat(meanwhile);
  meanwhile = [];
  soon();
}

export function start() {
  drain();
  document.addEventListener("htmx:after:swap", soon);
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => ctx.target?.matches?.(LISTS) && fetching.add(ctx));
  document.addEventListener("htmx:finally:request", fetched);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-notiway-fresh]");
    if (!button) return;
    reveal(button.parentElement.querySelector("[data-notiway-list]"), { focus: true });
    document.dispatchEvent(new CustomEvent("notiway:change"));
  });
}
