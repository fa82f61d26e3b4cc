// field-faults: what was wrong with a field is no longer said once the field is changed. Words about a field, or about
// the whole form, carry data-notiway-fault; the field has aria-invalid and names its words in aria-describedby.
function clear(field) {
  field.removeAttribute("aria-invalid");
  const words = (field.getAttribute("aria-describedby") ?? "").split(" ");
  const faults = words.filter((id) => document.getElementById(id)?.matches("[data-notiway-fault]"));
  faults.forEach((id) => document.getElementById(id).remove());
  field.setAttribute("aria-describedby", words.filter((id) => !faults.includes(id)).join(" "));
}

function changed({ target }) {
  const { form } = target;
  if (!form) return;
  if (target.getAttribute("aria-invalid") === "true" && form.querySelector("[data-notiway-fault]")) clear(target);
  if (form.querySelector("[aria-invalid=true]")) return;
  for (const words of form.querySelectorAll("[data-notiway-fault]")) words.replaceChildren(), words.removeAttribute("data-notiway-fault");
}

export function start() {
  document.addEventListener("input", changed);
}
