// live-region: speaks to screen readers, politely. Two messages in a row are joined, since a screen reader may skip the first.
const GAP = 700; // ms
const region = () => document.querySelector("[data-notiway-live]");
let queue = [];

function flush() {
  if (region()) region().textContent = queue.join(" ");
  queue = [];
}

export function speak(text) {
  if (!queue.length) {
    setTimeout(flush, GAP);
    if (region()) region().textContent = ""; // the same words again are a change then, and told
  }
  queue.push(text);
}
