// numbered: the history is a feed (ARIA APG). Screen readers hear which of how many a notification is, -1 as long as there
// is more than the page has; and Page Down and Page Up go from one to the next.
import { isOverfull } from "./held.js";
import { moreOf, rowsOf } from "./rows.js";

const STEP = { PageDown: 1, PageUp: -1 };
const history = () => document.querySelector("[data-notiway-list=history]");

function set(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

function apply() {
  const list = history();
  if (!list) return;
  const rows = rowsOf(list);
  const isPart = isOverfull(list) || moreOf(list) || list.dataset.page === "later";
  set(list, "role", rows.length ? "feed" : "list");
  rows.forEach((row, index) => {
    const title = row.querySelector(".notiway-item__title");
    if (title && !title.id) title.id = `notiway-title-${row.dataset.notiwayId}`;
    set(row, "role", "article");
    if (title) set(row, "aria-labelledby", title.id);
    set(row, "aria-posinset", index + 1);
    set(row, "aria-setsize", isPart ? -1 : rows.length);
  });
}

function pass(event) {
  const row = event.key in STEP && event.target.closest?.("[data-notiway-list=history] > [data-notiway-id]");
  if (!row || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const rows = rowsOf(history()).filter((each) => !each.hidden);
  const next = rows[rows.indexOf(row) + STEP[event.key]];
  event.preventDefault();
  (next?.querySelector("a, button") ?? (event.key === "PageDown" ? moreOf(history()) : null))?.focus();
}

const busy = (value) => ({ detail: { ctx } }) => {
  if (history() && ctx.target?.matches?.("#notiway-results, [data-notiway-list=history]")) history().setAttribute("aria-busy", value);
};

export function start() {
  apply();
  document.addEventListener("htmx:after:swap", ({ detail }) => detail.ctx.response && apply()); // frames end in notiway:change
  document.addEventListener("notiway:change", apply);
  document.addEventListener("htmx:before:request", busy("true"));
  document.addEventListener("htmx:finally:request", busy("false"));
  document.addEventListener("keydown", pass);
}
