// form: what the staff page adds to a form that works without it. The page links this module, which starts the picker.
import { showFailure, showUnreachable, wayOut } from "../bell.js";
import * as log from "./log.js";
import * as picker from "./picker.js";

const WORDS = { 401: "You are signed out.", 403: "You are not allowed to do that.", 404: "That no longer exists." };
const page = () => document.querySelector("[data-staff]");

/** A field is marked invalid as long as words stand in its fault. */
function markFaults() {
  const faults = [...(page()?.querySelectorAll("[data-staff-fault]") ?? [])];
  if (faults.every((fault) => !fault.textContent.trim())) page()?.querySelector(".staff-notice--fault")?.remove();
  for (const fault of faults) {
    const field = document.getElementById(fault.id.replace(/-fault$/, ""));
    if (!field) continue;
    if (fault.textContent.trim()) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

/** The date field has no zone: tell the server how far from UTC this browser is on that day. */
function tellZone() {
  const moment = page()?.querySelector("[data-staff-moment]");
  if (!moment) return;
  const day = moment.value ? new Date(moment.value) : new Date();
  page().querySelector("[data-staff-offset]").value = day.getTimezoneOffset() || 0;
  page().querySelector("[data-staff-zone]").textContent = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "your time";
}

function failed({ detail: { ctx } }) {
  const status = ctx?.response?.status;
  if (!page()?.contains(ctx?.sourceElement) || status === 422) return; // the form itself tells what is wrong
  if (ctx.sourceElement.id === "staff-preview" && !status) return; // the next change tries again
  if (!status) showUnreachable();
  else showFailure(WORDS[status] ?? "That did not work. Nothing you wrote is lost; try again.", wayOut(status));
}

function keepEnter(event) {
  // Enter in a line of text must never send to everybody by accident.
  const line = event.key === "Enter" && event.target.matches?.("#staff-form input:not([type=checkbox],[type=radio])");
  if (line) event.preventDefault();
}

function refresh() {
  markFaults();
  tellZone();
}

refresh();
picker.start();
log.start();
document.addEventListener("htmx:after:swap", refresh);
document.addEventListener("input", (event) => event.target.matches?.("[data-staff-moment]") && tellZone(), true);
document.addEventListener("htmx:response:error", failed);
document.addEventListener("htmx:error", failed);
document.addEventListener("keydown", keepEnter);
