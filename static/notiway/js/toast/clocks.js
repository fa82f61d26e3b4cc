// clocks: how long each ordinary toast still stays; all of them stand still while someone looks.
const LEAST = 1000; // ms left at least, when someone has looked away
const clocks = new Map(); // toast -> { left, since, handle }

export const isTimed = (toast) => clocks.has(toast);
export const timed = () => [...clocks.keys()];
export const wind = (toast, left) => clocks.set(toast, { left });

export function stop(toast) {
  clearTimeout(clocks.get(toast)?.handle);
  clocks.delete(toast);
}

/** Run all clocks, or let them rest; `ring(toast)` is called for each that has run down. */
export function tick(held, ring) {
  for (const [toast, clock] of clocks) {
    if (held && clock.handle) {
      clearTimeout(clock.handle);
      clock.left = Math.max(LEAST, clock.left - (Date.now() - clock.since));
      clock.handle = null;
    } else if (!held && !clock.handle && clock.left < Infinity) {
      clock.since = Date.now();
      clock.handle = setTimeout(ring, clock.left, toast);
    }
  }
}
