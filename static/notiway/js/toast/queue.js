// queue: toasts that wait for room, the gravest first; many ordinary ones are told as one.
const FOLD = 3; // ordinary ones waiting beyond this many become one
const RANKS = { urgent: 3, high: 1 };
const GRAVITY = ["success", "info", "warning", "error"];
let waiting = [];

const rank = ({ priority, stays }) => RANKS[priority] ?? (stays ? 2 : 0);

/** One toast for many ordinary ones: how many, with the gravest type among them. */
export function summary(toasts, href) {
  const count = toasts.reduce((sum, toast) => sum + (toast.count ?? toast.members ?? 1), 0);
  const type = GRAVITY[Math.max(...toasts.map((toast) => GRAVITY.indexOf(toast.type)))] ?? "info";
  const away = toasts.every((toast) => toast.away);
  return { type, title: away ? `${count} while you were away` : `${count} new notifications`, href, count, away, quiet: away };
}

/** Let a toast wait for its turn; `href` is where a summary leads. */
export function enqueue(toast, href) {
  waiting.splice(waiting.filter((other) => rank(other) >= rank(toast)).length, 0, toast);
  const ordinary = waiting.filter((other) => !other.stays && !other.quiet);
  if (ordinary.length > FOLD) waiting = [...waiting.filter((other) => other.stays || other.quiet), summary(ordinary, href)];
}

/** What is first, left in its place; undefined when nothing waits. */
export const first = () => waiting[0];
export const dequeue = () => waiting.shift();
export const waits = (matches) => waiting.some(matches);
export const keep = (matches) => (waiting = waiting.filter(matches));
