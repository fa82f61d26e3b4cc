// frames: the server's frames, whatever brings them. Those that notifications make wait here, and are taken in many at
// once, in pieces that leave the page time to answer; any other frame is swapped in by htmx, in its turn.
const PLACES = ["#notiway-incoming", "#notiway-badge"];
let waiting = [];
let isSwapping = false;

/** A frame came. It is taken in when incoming.js comes round to it. */
export function takeFrame(text) {
  waiting.push(text);
  document.dispatchEvent(new CustomEvent("notiway:frame"));
}

/** The parts of a frame, as htmx would have them; null for one that goes elsewhere, too. */
function parsed(text) {
  const template = document.createElement("template");
  template.innerHTML = text.replaceAll("<hx-partial ", "<template data-part ").replaceAll("</hx-partial>", "</template>");
  const parts = [...template.content.children];
  return parts.every((part) => "part" in part.dataset && PLACES.includes(part.getAttribute("hx-target"))) ? parts : null;
}

async function swap(text) {
  const sourceElement = document.querySelector("[data-notiway-socket]");
  isSwapping = true;
  await window.htmx
    .swap({ sourceElement, target: sourceElement, swap: `${window.htmx.config.defaultSwap} swapEmpty:false`, text, transition: false })
    .catch((error) => console.error(error));
  isSwapping = false;
  document.dispatchEvent(new CustomEvent("notiway:frame"));
}

/** What came, so many frames and ms at most: the elements for lists and toasts, and the last badge. The rest waits for the next time. */
export function gather({ ms, most }) {
  const until = performance.now() + ms;
  const children = [];
  let badge = null;
  let taken = 0;
  while (taken < Math.min(waiting.length, most) && !isSwapping && performance.now() < until) {
    const text = waiting[taken++];
    const parts = parsed(text);
    if (!parts) {
      swap(text);
      break;
    }
    for (const part of parts) {
      if (part.getAttribute("hx-target") === "#notiway-badge") badge = part.content.firstElementChild ?? badge;
      else children.push(...part.content.children);
    }
  }
  waiting = waiting.slice(taken);
  return { children, badge };
}

export const count = () => waiting.length;
export const isWaiting = () => waiting.length > 0 && !isSwapping;
