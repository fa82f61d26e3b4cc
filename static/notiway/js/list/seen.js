// seen: rows that arrive while their list is in view have been shown; tell the server, a few at a time.
const DELAY = 1000; // ms: one request for a burst
const AT_ONCE = 200; // ids: the server takes no more in one request
let timer = null;

const isShown = (row) => !row.hidden && !document.hidden && row.checkVisibility();

function csrf(row) {
  const holder = row.closest("[hx-headers\\:inherited]");
  return holder ? JSON.parse(holder.getAttribute("hx-headers:inherited")) : {};
}

function report() {
  timer = null;
  const rows = [...document.querySelectorAll("[data-notiway-list] > [data-unseen]")].filter(isShown).slice(0, AT_ONCE);
  const url = document.querySelector("[data-notiway-seen]")?.dataset.notiwaySeen;
  if (!rows.length || !url) return;
  rows.forEach((row) => row.removeAttribute("data-unseen"));
  const body = new URLSearchParams([...new Set(rows.map((row) => row.dataset.notiwayId))].map((id) => ["ids", id]));
  const headers = { ...csrf(rows[0]), "HX-Request": "true", "X-Notiway-Background": "1" }; // no sign of a person: it must not prolong the login session
  fetch(url, { method: "POST", body, headers, credentials: "same-origin", keepalive: true })
    .then((answer) => answer.ok || Promise.reject(answer)) // one that was deleted meanwhile refuses them all
    .then(soon) // there may be more
    .catch(() => rows.forEach((row) => row.setAttribute("data-unseen", ""))); // the next change tries again
}

function soon() {
  timer ??= setTimeout(report, DELAY);
}

export function start() {
  for (const name of ["notiway:change", "notiway:open", "visibilitychange"]) document.addEventListener(name, soon);
}
