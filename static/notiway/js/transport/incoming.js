// incoming: what frames bring, and what answers put into #notiway-incoming, hidden, is taken in together, once for each
// frame of the screen.
import { reveal, settle } from "../list/list.js";
import { lists } from "../list/rows.js";
import { place } from "../page/place.js";
import { repeat, take } from "./changes.js";
import { count, gather, isWaiting } from "./frames.js";

// Frames that are taken in at once: to draw their rows takes longer than to read them. Where so many wait that lists have
// no room for them, few are drawn, and the rest must not take minutes.
const PIECE = { seen: { ms: 8, most: 8 }, flooded: { ms: 40, most: 200 }, hidden: { ms: 40, most: 500 } };
const FLOOD = 2_000; // frames that wait
const SLOWEST = 100; // ms: a hidden tab draws no frames, but hears all the same
const LISTS = "#notiway-results, [data-notiway-box], [data-notiway-list], .notiway-more, .notiway-history"; // what requests bring rows into
const fetching = new Set(); // the requests for rows that are on their way…
let meanwhile = []; // … and what came since
let due = null;

const incoming = () => document.getElementById("notiway-incoming");

/**
 * What has a place of its own goes there at once, for its id must not be on the page twice; the others are returned.
 * The row of a notification comes behind its parts: where the page has no place for any of them, it makes a toast.
 */
function placeParts(children) {
  let placed = null;
  const rest = [];
  for (const child of children) {
    const { notiwayInto, notiwayEvent } = child.dataset;
    if (notiwayInto) {
      child.remove();
      const found = place(child);
      if (found) window.htmx?.process(child);
      placed = found || placed === true;
    } else if (notiwayEvent === "quiet") {
      rest.push(...(placed === false ? child.children : [child]));
      placed = null;
    } else rest.push(child);
  }
  return rest;
}

/** All that came since the last frame of the screen, at once: a flood costs as many rounds as the screen shows. */
function drain() {
  clearTimeout(due?.timer);
  cancelAnimationFrame(due?.frame);
  due = null;
  const { children: framed, badge } = gather(PIECE[document.hidden ? "hidden" : count() > FLOOD ? "flooded" : "seen"]);
  const children = [...placeParts([...(incoming()?.children ?? [])]), ...placeParts(framed)];
  incoming()?.replaceChildren();
  const old = badge && document.getElementById("notiway-badge");
  if (old && !old.isEqualNode(badge)) old.replaceWith(badge);
  take(children);
  if (fetching.size) meanwhile.push(...children);
  lists().forEach(settle);
  if (children.length || badge) document.dispatchEvent(new CustomEvent("notiway:change"));
  if (isWaiting()) later();
}

function later() {
  due ??= { timer: setTimeout(drain, SLOWEST), frame: requestAnimationFrame(drain) };
}

function soon() {
  incoming()?.replaceChildren(...placeParts([...incoming().children]));
  later();
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
  document.addEventListener("notiway:frame", later);
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => ctx.target?.matches?.(LISTS) && fetching.add(ctx));
  document.addEventListener("htmx:finally:request", fetched);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-notiway-fresh]");
    if (!button) return;
    reveal(button.parentElement.querySelector("[data-notiway-list]"), { focus: true });
    document.dispatchEvent(new CustomEvent("notiway:change"));
  });
}
