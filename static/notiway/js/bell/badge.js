// badge: carries the number that frames write into #notiway-badge to the bell's name and the tab's title.
const PREFIX = /^\(\d+\+?\) /;

/** Carry over the number that the badge shows now. */
export function apply() {
  const badge = document.getElementById("notiway-badge");
  if (!badge) return;
  const count = Number(badge.dataset.count);
  const text = count > 99 ? "99+" : String(count);
  const name = count ? `Notifications, ${text} unread` : "Notifications";
  for (const bell of document.querySelectorAll("[data-notiway-bell], [data-notiway-link]")) {
    if (bell.ariaLabel !== name) bell.ariaLabel = name;
  }
  const title = document.title.replace(PREFIX, "");
  const wanted = count ? `(${text}) ${title}` : title;
  if (document.title !== wanted) document.title = wanted;
}

export function start() {
  apply();
  for (const name of ["htmx:finally:swap", "notiway:change"]) document.addEventListener(name, apply); // after htmx itself may have set the title
}
