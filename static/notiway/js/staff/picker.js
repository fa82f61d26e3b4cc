// picker: what is ticked among the results moves up to what is chosen; what is unticked there goes. Arrow keys
// go through the results, Enter in the search goes to the first, Escape goes back.
const search = () => document.getElementById("staff-q");
const chosen = () => document.getElementById("staff-chosen");
const found = () => document.getElementById("staff-found");
const boxes = (place) => [...(place?.querySelectorAll("input[name=to]") ?? [])];
const isBroadcast = (box) => "staffBroadcast" in box.dataset;

/** One tenant, one group or everybody; or several users. Whatever does not go with the newest choice is let go. */
function letGo(newest) {
  const form = newest.form;
  for (const box of boxes(form)) {
    if (box === newest || !box.checked || (!isBroadcast(newest) && !isBroadcast(box))) continue;
    box.checked = false;
    if (chosen().contains(box)) box.closest("li").remove();
  }
  const everybody = form.querySelector("[data-staff-everybody]");
  if (!everybody.checked) form.elements.confirm.checked = false;
}

/** The hint above the results says how many are left. */
function count() {
  const hint = found()?.querySelector("[data-staff-hint]");
  const number = hint?.querySelector("[data-staff-shown]");
  const left = boxes(found()).length;
  if (number && left) number.textContent = left;
  else if (number) hint.textContent = hint.dataset.allChosen;
}

/** Take away results that are chosen already. */
function dropTaken() {
  const taken = new Set(boxes(chosen()).map((box) => box.value));
  for (const box of boxes(found())) if (taken.has(box.value)) box.closest("li").remove();
  count();
}

function ticked(event) {
  const box = event.target;
  if (!box.matches?.("#staff-form input[name=to]")) return;
  if (box.checked) {
    if (found().contains(box)) {
      const next = box.closest("li").nextElementSibling?.querySelector("input") ?? search();
      chosen().append(box.closest("li"));
      count();
      next.focus();
    }
    letGo(box);
  } else if (chosen().contains(box)) {
    const row = box.closest("li");
    const next = (row.nextElementSibling ?? row.previousElementSibling)?.querySelector("input") ?? search();
    row.remove();
    next.focus();
    window.htmx?.trigger(document.getElementById("staff-preview"), "staff:renew");
  } else {
    box.form.elements.confirm.checked = false;
  }
}

function moved(event) {
  const inSearch = event.target === search();
  if (!inSearch && !found()?.contains(event.target)) return;
  const results = boxes(found());
  const here = results.indexOf(event.target);
  let to = null;
  if (event.key === "ArrowDown") to = results[here + 1];
  else if (event.key === "ArrowUp") to = inSearch ? null : (results[here - 1] ?? search());
  else if (event.key === "Enter" && inSearch) to = results[0];
  else if (event.key === "Escape" && !inSearch) to = search();
  if (!to) return;
  event.preventDefault();
  to.focus();
}

export function start() {
  document.addEventListener("change", ticked);
  document.addEventListener("keydown", moved);
  document.addEventListener("htmx:after:swap", dropTaken);
}
