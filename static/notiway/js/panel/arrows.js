// arrows: in the open panel the arrow keys, Home and End go from notification to notification; Tab goes everywhere.
const STEP = { ArrowDown: 1, ArrowUp: -1 };

function move(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (!(event.key in STEP) && event.key !== "Home" && event.key !== "End") return;
  const panel = document.getElementById("notiway-panel");
  const within = panel?.contains(event.target) || event.target.matches?.("[data-notiway-bell]");
  if (!within || !panel.matches(":popover-open")) return;
  const rows = [...panel.querySelectorAll("[data-notiway-list] > [data-notiway-id]:not([hidden])")];
  if (!rows.length) return;
  const here = rows.findIndex((row) => row.contains(event.target));
  const wanted = event.key === "Home" ? 0 : event.key === "End" ? rows.length - 1 : here + (STEP[event.key] ?? 0);
  const row = rows[Math.min(Math.max(wanted, 0), rows.length - 1)];
  event.preventDefault(); // the list must not scroll besides
  row.querySelector("a, button")?.focus();
}

export function start() {
  document.addEventListener("keydown", move);
}
