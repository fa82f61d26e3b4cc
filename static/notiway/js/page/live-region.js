// live-region: speaks to screen readers, politely. Two messages in a row are joined, since a screen reader may skip the first.
const GAP = 700; // ms
let queue = [];

function flush() {
  const region = document.querySelector("[data-notiway-live]");
  if (region) region.textContent = queue.join(" ");
  queue = [];
}

export function speak(text) {
  if (!queue.length) setTimeout(flush, GAP);
  queue.push(text);
}
