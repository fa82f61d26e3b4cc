// days: a heading above the first row of today, of yesterday, and of what was before.
import { lists, rowsOf } from "../list/rows.js";

const WORDS = { today: "Today", yesterday: "Yesterday", earlier: "Earlier" };
const REFRESH = 60_000; // ms: a day may end while the page is open
const dates = new WeakMap(); // row -> the day on which it came, as the reader's calendar has it

function dayOf(row) {
  if (!dates.has(row)) {
    const time = row.querySelector("time[data-notiway-time]");
    dates.set(row, time ? new Date(time.dateTime).setHours(0, 0, 0, 0) : 0);
  }
  return dates.get(row);
}

function made(day) {
  const heading = Object.assign(document.createElement("div"), { className: "notiway-day", textContent: WORDS[day] });
  heading.dataset.notiwayDay = day;
  heading.setAttribute("aria-hidden", "true"); // every row says when it came, and a feed holds nothing but articles
  return heading;
}

function mark(list, today, yesterday) {
  const headings = new Map([...list.querySelectorAll(":scope > [data-notiway-day]")].map((each) => [each.dataset.notiwayDay, each]));
  let above = "";
  for (const row of rowsOf(list).filter((each) => !each.hidden)) {
    const date = dayOf(row);
    const day = !date ? above : date >= today ? "today" : date >= yesterday ? "yesterday" : "earlier";
    if (day === above) continue;
    above = day;
    const heading = headings.get(day) ?? made(day);
    headings.delete(day);
    if (heading.nextElementSibling !== row) row.before(heading);
  }
  headings.forEach((unused) => unused.remove());
}

function refresh() {
  const today = new Date().setHours(0, 0, 0, 0);
  const yesterday = new Date(today).setDate(new Date(today).getDate() - 1);
  for (const list of lists()) if (list.dataset.state !== "snoozed") mark(list, today, yesterday); // those say when they come back
}

export function start() {
  refresh();
  setInterval(refresh, REFRESH);
  document.addEventListener("htmx:after:swap", ({ detail }) => detail.ctx.response && refresh()); // frames end in notiway:change
  for (const name of ["notiway:change", "visibilitychange"]) document.addEventListener(name, refresh);
}
