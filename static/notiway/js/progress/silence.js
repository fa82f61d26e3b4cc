// silence: a bar of which nothing was heard for a while, or during a break of the line, asks how its task is; so a job
// that died, or a last report that was lost, leaves no bar that stands still for ever.
import { request, show } from "./request.js";

const LOOK = 5000; // ms between two looks
const SILENCE = 65_000; // ms; the server takes a task for dead after a minute
const heardAt = new WeakMap(); // bar -> when it was drawn, or when it asked

const bars = () => [...document.querySelectorAll("[data-notiway-task]")];

async function ask(bar) {
  heardAt.set(bar, Date.now());
  const answer = await request(bar.dataset.notiwayTask);
  if (answer.status === 404) bar.removeAttribute("data-notiway-task"); // a producer's own: only it knows
  await show(answer);
}

function look() {
  for (const bar of bars()) {
    if (!heardAt.has(bar)) heardAt.set(bar, Date.now());
    else if (Date.now() - heardAt.get(bar) > SILENCE) ask(bar).catch(() => {}); // no line: it asks again later
  }
}

export function start() {
  let first = true;
  setInterval(look, LOOK);
  document.addEventListener("notiway:connected", () => {
    if (!first) Promise.allSettled(bars().map(ask));
    first = false;
  });
}
