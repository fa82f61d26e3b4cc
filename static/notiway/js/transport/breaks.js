// breaks: how long this page was without the server; what came meanwhile is told as one line.
const LONG = 5_000; // ms: a shorter one nobody notices
const REPLAY = 1_500; // ms after it, and after each notification then: so long what was missed comes in
const LIVE = ["connected", "streaming", "polling"];
let lostAt = 0;
let backUntil = 0;
let wasLive = false;

/** The line is in this state now. */
export function note(state) {
  const isLive = LIVE.includes(state);
  if (wasLive && !isLive) lostAt ||= Date.now();
  if (isLive && !wasLive && lostAt) {
    if (Date.now() - lostAt > LONG) backUntil = Date.now() + REPLAY;
    lostAt = 0;
  }
  wasLive = isLive;
}

/** Nobody was here since then: the machine slept, or the page lay in the back/forward cache. */
export function awaySince(moment) {
  lostAt = moment;
}

/** Whether what comes now was missed in a break. */
export function isBack() {
  if (Date.now() > backUntil) return false;
  backUntil = Date.now() + REPLAY;
  return true;
}
