// time: "3 minutes ago", kept current; the absolute time in the reader's zone stands in the title.
const STEPS = [
  [3600, 60, "minute"],
  [86400, 3600, "hour"],
  [604800, 86400, "day"],
];
const REFRESH = 30_000; // ms
const JUST_NOW = 60; // seconds: a ticking count would only distract
const language = document.documentElement.lang || undefined;
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const dayOnly = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric" });
const whole = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" });

export function words(date, now = Date.now()) {
  const age = Math.max(0, (now - date) / 1000); // a server clock ahead of ours is no future
  if (age < JUST_NOW) return relative.format(0, "second");
  const step = STEPS.find(([limit]) => age < limit);
  return step ? relative.format(-Math.max(1, Math.round(age / step[1])), step[2]) : dayOnly.format(date);
}

function refresh() {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-notiway-time]")) {
    const date = new Date(time.dateTime);
    const text = words(date);
    if (time.textContent !== text) time.textContent = text;
    time.title ||= "";
    if (!time.dataset.notiwayTime) {
      time.title = whole.format(date);
      time.dataset.notiwayTime = "done";
    }
  }
}

export function start() {
  refresh();
  setInterval(refresh, REFRESH);
  document.addEventListener("htmx:after:swap", ({ detail }) => detail.ctx.response && refresh()); // frames end in notiway:change
  for (const name of ["notiway:change", "visibilitychange"]) document.addEventListener(name, refresh);
}
