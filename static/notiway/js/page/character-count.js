// character-count: <input data-notiway-count="50" data-notiway-count-output="id"> with <output id="id" hidden>: "12 / 50",
// marked with data-over past the advised length. The field's own maxlength stays the hard limit.
function apply(field) {
  const output = document.getElementById(field.dataset.notiwayCountOutput);
  if (!output) return;
  const used = [...field.value].length; // characters as people count them, not UTF-16 units
  const advised = Number(field.dataset.notiwayCount);
  output.hidden = false;
  output.textContent = `${used} / ${advised}`;
  output.toggleAttribute("data-over", used > advised);
}

const applyAll = () => document.querySelectorAll("[data-notiway-count]").forEach(apply);

export function start() {
  applyAll();
  document.addEventListener("input", (event) => event.target.matches?.("[data-notiway-count]") && apply(event.target));
  document.addEventListener("reset", () => queueMicrotask(applyAll));
  document.addEventListener("htmx:after:swap", applyAll);
}
