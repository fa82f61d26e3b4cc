// tabs: all of the newest, or what is unread of it. The choice stays while the page does.
const tabs = (frame) => [...frame.querySelectorAll("[data-notiway-tab]")];

function choose(tab) {
  const frame = tab.closest("[data-notiway-frame]");
  const box = frame.querySelector("[data-notiway-box]");
  for (const each of tabs(frame)) each.setAttribute("aria-pressed", String(each === tab));
  box.setAttribute("hx-get", tab.dataset.notiwayTab);
  window.htmx?.ajax("GET", tab.dataset.notiwayTab, { source: box, target: box, swap: "innerHTML" });
}

/** The number of unread beside its tab is the badge's. */
function count() {
  const text = document.getElementById("notiway-badge")?.hidden ? "" : document.getElementById("notiway-badge").textContent.trim();
  for (const each of document.querySelectorAll("[data-notiway-unread]")) if (each.textContent !== text) each.textContent = text;
}

export function start() {
  count();
  document.addEventListener("click", (event) => {
    const tab = event.target.closest?.("[data-notiway-tab]");
    if (tab && tab.getAttribute("aria-pressed") !== "true") choose(tab);
  });
  for (const name of ["htmx:finally:swap", "notiway:change"]) document.addEventListener(name, count);
}
