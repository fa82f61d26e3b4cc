// quiet: whether the reader wants to be disturbed now; the moon and its words say so, in every tab and on every device.
import { summarise } from "./held.js";
import { localTime, refresh, serverNow, settings } from "./settings.js";

const LONGEST = 2_147_483_647; // ms that a timer can wait
const STALE = 86_400_000; // ms after which the coming windows are asked for anew…
const SPREAD = 60_000; // … within so many ms: not all pages ask at the same moment
const language = document.documentElement.lang || undefined;
const hour = new Intl.DateTimeFormat(language, { timeStyle: "short" });
const dayAndHour = new Intl.DateTimeFormat(language, { weekday: "long", hour: "numeric", minute: "2-digit" });
let timer = null;

function current() {
  const now = serverNow();
  return settings()?.quiet.find(({ from, until }) => from <= now && now < until);
}

/** Whether the reader wants no disturbance at this moment. */
export const isQuiet = () => current() !== undefined;

/** "until 08:00", with the day where that is not today's. */
function until(ms) {
  const date = new Date(localTime(ms));
  const isToday = date.toDateString() === new Date(Date.now()).toDateString();
  return `until ${(isToday ? hour : dayAndHour).format(date)}`;
}

function show(now) {
  const words = now ? `Do not disturb is on ${until(now.until)}` : "";
  for (const bell of document.querySelectorAll(".notiway-bell")) bell.toggleAttribute("data-quiet", Boolean(now));
  for (const line of document.querySelectorAll("[data-notiway-quiet-line]")) line.hidden = !now;
  for (const text of document.querySelectorAll("[data-notiway-quiet], [data-notiway-quiet-words]")) {
    const wanted = words || (text.dataset.otherwise ?? "");
    if (text.textContent !== wanted) text.textContent = wanted;
  }
}

/** Look at the clock, and again when something changes by it. */
function look() {
  clearTimeout(timer);
  if (!settings()) return;
  show(current());
  if (!isQuiet()) summarise(isQuiet);
  const now = serverNow();
  const edges = settings().quiet.flatMap(({ from, until: end }) => [from, end]).filter((edge) => edge > now);
  if (edges.length) timer = setTimeout(look, Math.min(Math.min(...edges) - now, LONGEST));
  if (now - settings().now > STALE) setTimeout(refresh, SPREAD * Math.random());
}

export function start() {
  document.addEventListener("notiway:settings", look);
  document.addEventListener("visibilitychange", () => document.hidden || look()); // timers rest while a machine sleeps
  look();
}
