// waking: a line that looks open may be gone since the lid was closed, or the network changed; and one that is sought
// is sought at once when somebody looks again.
import { awaySince } from "./breaks.js";
import { heardAt, isOpen, redial, send } from "./connection.js";
import { show } from "./state.js";

const LOOK = 5_000; // ms between two looks at the line, and at the clock…
const SLEPT = { seen: 15_000, hidden: 90_000 }; // … which has jumped if so much more has gone: hidden tabs wait a minute
const SILENCE = 2.5; // heartbeats missed before a line that looks open is given up
const AWAY = 30_000; // ms: a tab that was hidden so long asks whether its line is still there…
const ANSWER = 3_000; // … and waits so long for an answer
let lookedAt = Date.now();
let hiddenAt = 0; // when the tab was hidden last
let leftAt = 0; // when the page was left

/** Whatever stands in for a line, too, begins anew. */
function wake() {
  document.dispatchEvent(new CustomEvent("notiway:wake"));
  redial();
}

function watch() {
  const now = Date.now();
  const heartbeat = Number(document.querySelector("[data-notiway-socket]")?.dataset.heartbeat ?? 30) * 1000;
  const before = lookedAt;
  const wasAsleep = now - lookedAt > LOOK + (document.hidden || hiddenAt > lookedAt ? SLEPT.hidden : SLEPT.seen);
  lookedAt = now;
  if (wasAsleep) awaySince(before);
  if (wasAsleep) wake();
  else if (isOpen() && now - heardAt() > heartbeat * SILENCE) redial();
}

/** Ask whether the other end is still there. */
function probe() {
  const asked = Date.now();
  if (send({ action: "ping" })) setTimeout(() => heardAt() < asked && redial(), ANSWER);
}

function seen() {
  if (document.hidden) hiddenAt = Date.now();
  else if (!isOpen()) redial();
  else if (Date.now() - hiddenAt > AWAY) probe();
}

export function start() {
  addEventListener("offline", () => show("offline"));
  addEventListener("online", wake);
  addEventListener("pagehide", () => (leftAt = Date.now()));
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return; // else it comes out of the back/forward cache
    if (leftAt) awaySince(leftAt);
    wake();
  });
  document.addEventListener("visibilitychange", seen);
  setInterval(watch, LOOK);
}
