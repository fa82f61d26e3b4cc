// claim: which of a reader's tabs tells of a notification. A focused tab asks first, a hidden one last; a Web Lock decides
// who won, also between tabs that ask in the same millisecond: one for each notification, or one for a whole burst.
import { remembered } from "../page/remembered.js";
import { pause, turn } from "../page/turn.js";

const HOLD = 15_000; // ms a lock is kept, longer than any tab waits
const MANY = 5; // more than these at once are claimed together: a thousand locks would hold the page up
const BURST_HOLD = 3_000; // ms after its last notification that a burst is over
const taken = remembered();
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("notiway") : null;
let letGo = null; // ends the lock of a burst that is this tab's
let over = null;

/** Ask for a lock that nobody has; `keep()` says for how long. */
function lock(name, keep) {
  return new Promise((resolve) => {
    const take = (got) => {
      resolve(got !== null);
      return got && keep();
    };
    navigator.locks.request(`notiway:${name}`, { ifAvailable: true }, take).catch(() => resolve(false));
  });
}

async function claim(id) {
  if (taken.has(id)) return false;
  if (!navigator.locks) return claimByStorage(id);
  return (await lock(id, () => pause(HOLD))) && !taken.has(id);
}

async function claimBurst(id) {
  if (!navigator.locks) return claimByStorage(id);
  const isMine = letGo !== null || (await lock("burst", () => new Promise((resolve) => (letGo = resolve))));
  if (!isMine) return false;
  clearTimeout(over);
  over = setTimeout(() => {
    letGo?.();
    letGo = null;
  }, BURST_HOLD);
  return true;
}

/** Without Web Locks (plain http): the last to write its name within a short while has won. */
async function claimByStorage(id) {
  const key = "notiway:voice";
  try {
    const [last] = (localStorage.getItem(key) ?? "").split(" ");
    if (last === id) return false;
    const name = `${id} ${Math.random()}`;
    localStorage.setItem(key, name);
    await pause(40);
    return localStorage.getItem(key) === name && !taken.has(id);
  } catch {
    return !document.hidden; // storage is off: better twice than never
  }
}

/** Of these toasts those that this tab tells; `key` tells the times from each other that one notification is news. */
export async function claimed(toasts) {
  await turn();
  const ordinary = toasts.filter((toast) => !toast.stays);
  const isBurst = ordinary.length > MANY && (await claimBurst(ordinary.at(-1).key));
  const isMine = ({ key, stays }) => (stays || ordinary.length <= MANY ? claim(key) : isBurst && !taken.has(key));
  const won = await Promise.all(toasts.map(isMine));
  const mine = toasts.filter((_, index) => won[index]);
  const ids = mine.map(({ key }) => key);
  ids.forEach((id) => taken.add(id));
  if (ids.length) channel?.postMessage(ids);
  return mine;
}

export function start() {
  channel?.addEventListener("message", ({ data }) => data.forEach((id) => taken.add(id)));
}
