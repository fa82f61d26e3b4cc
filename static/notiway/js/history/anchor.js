// anchor: "#n-<id>" in the address leads to that notification, which is lit for a moment. Long texts unfold.
const LIT = 2_000; // ms

function light() {
  const [, id] = location.hash.match(/^#n-([0-9a-f-]{36})$/) ?? [];
  const row = id && document.querySelector(`[data-notiway-list=history] > [data-notiway-id="${id}"]`);
  if (!row) return;
  row.dataset.unfolded = "";
  row.classList.add("notiway-item--lit");
  setTimeout(() => row.classList.remove("notiway-item--lit"), LIT);
  row.scrollIntoView({ block: "center" });
  row.querySelector("a, button")?.focus({ preventScroll: true });
}

export function start() {
  light();
  addEventListener("hashchange", light);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-notiway-unfold]");
    if (!button) return;
    const row = button.closest("[data-notiway-id]");
    const isOpen = "unfolded" in row.dataset;
    isOpen ? delete row.dataset.unfolded : (row.dataset.unfolded = "");
    button.setAttribute("aria-expanded", String(!isOpen));
    button.textContent = isOpen ? "Show more" : "Show less";
  });
}
