// selection: "Select all", then also what matches and is not shown; the count; and actions that wait until something is selected.
const bulk = () => document.querySelector("[data-notiway-bulk]");
const boxes = () => [...bulk().querySelectorAll("[data-notiway-list] > :not([hidden]) input[name=ids]")];
const part = (name) => bulk().querySelector(`[data-notiway-${name}]`);
/** The ids of all that match, once they are selected. */
const matched = () => part("matched")?.firstElementChild?.dataset.notiwayIds;

function apply() {
  if (!bulk()) return;
  const all = boxes();
  const chosen = all.filter((box) => box.checked).length;
  const master = part("select-all");
  master.checked = chosen > 0 && chosen === all.length;
  master.indeterminate = chosen > 0 && chosen < all.length;
  master.disabled = all.length === 0;
  part("selected").textContent = chosen && !matched() ? `${chosen} selected` : "";
  if (part("match")) part("match").hidden = !master.checked || Boolean(matched());
  bulk().classList.toggle("notiway-selecting", chosen > 0);
  for (const button of bulk().querySelectorAll("[data-notiway-needs-selection]")) button.disabled = chosen === 0;
}

function change({ target }) {
  if (!bulk()?.contains(target)) return;
  if (target.matches("[data-notiway-select-all]")) boxes().forEach((box) => (box.checked = target.checked));
  part("matched")?.replaceChildren(); // another choice than all
  apply();
}

export function start() {
  apply();
  document.addEventListener("change", change);
  document.addEventListener("formdata", ({ target, formData }) => {
    if (target === bulk() && matched()) formData.set("ids", matched());
  });
  document.addEventListener("htmx:after:swap", ({ detail }) => detail.ctx.response && apply()); // frames end in notiway:change
  document.addEventListener("notiway:change", apply);
  addEventListener("pageshow", apply); // browsers restore ticks after this module ran
}
