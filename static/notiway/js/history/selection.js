// selection: "Select all", the count, and actions that wait until something is selected.
const bulk = () => document.querySelector("[data-notiway-bulk]");
const boxes = () => [...bulk().querySelectorAll("[data-notiway-list] > :not([hidden]) input[name=ids]")];

function apply() {
  if (!bulk()) return;
  const all = boxes();
  const chosen = all.filter((box) => box.checked).length;
  const master = bulk().querySelector("[data-notiway-select-all]");
  master.checked = chosen > 0 && chosen === all.length;
  master.indeterminate = chosen > 0 && chosen < all.length;
  master.disabled = all.length === 0;
  bulk().querySelector("[data-notiway-selected]").textContent = chosen ? `${chosen} selected` : "";
  bulk().classList.toggle("notiway-selecting", chosen > 0);
  for (const button of bulk().querySelectorAll("[data-notiway-needs-selection]")) button.disabled = chosen === 0;
}

export function start() {
  apply();
  document.addEventListener("change", ({ target }) => {
    if (!bulk()?.contains(target)) return;
    if (target.matches("[data-notiway-select-all]")) boxes().forEach((box) => (box.checked = target.checked));
    apply();
  });
  document.addEventListener("htmx:after:swap", ({ detail }) => detail.ctx.response && apply()); // frames end in notiway:change
  document.addEventListener("notiway:change", apply);
  addEventListener("pageshow", apply); // browsers restore ticks after this module ran
}
