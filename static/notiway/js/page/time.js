// time: "3 minutes ago", kept current; the absolute time in the reader's zone stands in the title.
// In a list with days it is brief: "3m ago" today, then the hour, the day of the week, the date.
const STEPS = [
  [3600, 60, "minute"],
  [86400, 3600, "hour"],
  [604800, 86400, "day"],
];
const REFRESH = 30_000; // ms
const JUST_NOW = 60; // seconds: a ticking count would only distract
const language = document.documentElement.lang || undefined;
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const narrow = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "narrow" });
const hour = new Intl.DateTimeFormat(language, { timeStyle: "short" });
const weekday = new Intl.DateTimeFormat(language, { weekday: "short" });
const dayAndMonth = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const WEEK = 6; // days back that a weekday can name
const dayOnly = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric" });
const whole = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" });

export function words(date, now = Date.now()) {
  const age = Math.max(0, (now - date) / 1000); // a server clock ahead of ours is no future
  if (age < JUST_NOW) return relative.format(0, "second");
  const step = STEPS.find(([limit]) => age < limit);
  return step ? relative.format(-Math.max(1, Math.round(age / step[1])), step[2]) : dayOnly.format(date);
}

/** The same for a row below the heading of its day. */
export function brief(date, now = Date.now()) {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const age = Math.max(0, (now - date) / 1000);
  if (age < JUST_NOW) return narrow.format(0, "second");
  if (age < 3600) return narrow.format(-Math.round(age / 60) || -1, "minute");
  if (date >= midnight) return narrow.format(-Math.round(age / 3600), "hour");
  const days = Math.ceil((midnight - date) / 86_400_000);
  if (days <= 1) return hour.format(date);
  if (days <= WEEK) return weekday.format(date);
  return date.getFullYear() === new Date(now).getFullYear() ? dayAndMonth.format(date) : dayOnly.format(date);
}

export const atHour = (date) => hour.format(date);

/** When something comes back: "14:05" today, "tomorrow 9:00", "Mon 9:00", "3 May 9:00". */
export function until(date, now = Date.now()) {
  const days = Math.round((new Date(date).setHours(0, 0, 0, 0) - new Date(now).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return hour.format(date);
  const day = days === 1 ? relative.format(1, "day") : days > 0 && days <= WEEK ? weekday.format(date) : days < 300 ? dayAndMonth.format(date) : dayOnly.format(date);
  return `${day} ${hour.format(date)}`;
}

function refresh() {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-notiway-time]")) {
    const date = new Date(time.dateTime);
    const kind = time.dataset.notiwayTime;
    const text = kind === "until" ? until(date) : kind.startsWith("brief") ? brief(date) : words(date);
    if (time.textContent !== text) time.textContent = text;
    time.title ||= "";
    if (!("notiwayTold" in time.dataset)) {
      time.title = whole.format(date);
      time.dataset.notiwayTold = "";
    }
  }
}

export function start() {
  refresh();
  setInterval(refresh, REFRESH);
  document.addEventListener("htmx:after:swap", ({ detail }) => detail.ctx.response && refresh()); // frames end in notiway:change
  for (const name of ["notiway:change", "visibilitychange"]) document.addEventListener(name, refresh);
}
