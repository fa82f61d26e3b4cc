// actions: on a touch screen a row's buttons open below its text, from the "…" beside it or by a swipe to its start.
const FAR = 48; // px along the row…
const ASTRAY = 32; // … and at most so many across it
let from = null; // where a finger came down

function open(row, wanted = !("open" in row.dataset)) {
  for (const other of document.querySelectorAll("[data-notiway-list] > [data-open]")) if (other !== row || !wanted) close(other);
  if (!wanted) return;
  row.dataset.open = "";
  row.querySelector("[data-notiway-menu]").setAttribute("aria-expanded", "true");
}

function close(row) {
  delete row.dataset.open;
  row.querySelector("[data-notiway-menu]")?.setAttribute("aria-expanded", "false");
}

function lifted({ changedTouches: [touch] }) {
  const start = from;
  from = null;
  if (!start || Math.abs(touch.clientY - start.y) > ASTRAY) return;
  const way = (touch.clientX - start.x) * (document.dir === "rtl" ? -1 : 1);
  if (Math.abs(way) >= FAR) open(start.row, way < 0);
}

export function start() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-notiway-menu]");
    if (button) open(button.closest("[data-notiway-id]"));
  });
  document.addEventListener("touchstart", ({ target, touches }) => {
    const row = touches.length === 1 && target.closest?.("[data-notiway-list] > [data-notiway-id]");
    from = row && row.querySelector("[data-notiway-menu]") ? { row, x: touches[0].clientX, y: touches[0].clientY } : null;
  }, { passive: true });
  document.addEventListener("touchend", lifted, { passive: true });
}
