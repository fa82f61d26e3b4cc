// burst: when many ordinary notifications come together, they are told as one number; while nobody looks, already two.
const WINDOW = 2_000; // ms: more than…
const MOST = 5; // … so many in it are a burst, …
const AT_ONCE = 3; // … or more than these at once
let recent = []; // { toast, at } of those that were told one by one

const isSame = (one, other) => one.id === other.id || Boolean(one.group && one.group === other.group);

/** Those that are told as a number: of what came now, and of what was told just before; none if it is not that many. */
export function burst(toasts) {
  const now = Date.now();
  const isAway = toasts.some(({ away }) => away);
  const before = recent.filter(({ toast, at }) => (isAway ? toast.away : now - at < WINDOW) && !toasts.some((each) => isSame(each, toast)));
  const all = [...before, ...toasts.map((toast) => ({ toast, at: now }))];
  const isMany = isAway ? all.length > 1 : toasts.length > AT_ONCE || all.length > MOST;
  recent = isMany ? [] : all;
  return isMany ? all.map(({ toast }) => toast) : [];
}

/** Notifications of one group are one toast, that of the newest, with their number. */
export function grouped(toasts) {
  const found = new Map();
  for (const toast of toasts) {
    const key = toast.group || toast.id;
    found.set(key, { ...toast, members: (found.get(key)?.members ?? 0) + 1 });
  }
  return [...found.values()];
}
