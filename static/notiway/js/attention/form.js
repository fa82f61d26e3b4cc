// form: each control of the settings page saves at once, and goes back to what the server has if that fails.
import { showFailure, showUnreachable, wayOut } from "../toast/failures.js";
import { address, settings, take } from "./settings.js";

const SAVED = 2500; // ms that "Saved" stays
let queue = Promise.resolve(); // one request at a time, in the order of the changes
let waiting = 0;
let timer = null;
const page = () => document.querySelector("[data-notiway-settings-page]");
const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
const parts = (name) => [...page().querySelectorAll(`[data-notiway-schedule] [name="${name}"]`)];
const zone = () => page().querySelector("[data-notiway-set=zone]");

function schedule() {
  return { on: parts("schedule")[0].checked, days: parts("days").filter(({ checked }) => checked).map(({ value }) => value), from: parts("from")[0].value, to: parts("to")[0].value };
}

/** The time zone of this device, until one was chosen. */
const withZone = (changes) => (settings().zone === null && zone().value ? { zone: zone().value, ...changes } : changes);

function valueOf(control) {
  if (control.type === "checkbox") return control.checked;
  const isNumber = control.type === "range" || control.dataset.notiwaySet === "toastSeconds";
  return isNumber && control.value ? Number(control.value) : control.value || null;
}

function changesOf(control) {
  const { notiwaySet: name, notiwayTopic: topic, notiwayChannel: channel } = control.dataset;
  if (topic) return { categories: { [topic]: { [channel]: control.checked } } };
  if (name) return { [name]: valueOf(control) };
  return control.closest("[data-notiway-schedule]") ? withZone({ schedule: schedule() }) : null;
}

/** Show what the server has. */
function reflect() {
  if (!page() || !settings() || waiting) return;
  const told = settings();
  for (const control of page().querySelectorAll("[data-notiway-set]")) {
    const value = told[control.dataset.notiwaySet];
    if (control.type === "checkbox") control.checked = value;
    else if (control.type === "radio") control.checked = control.value === String(value ?? "");
    else if (value !== null) control.value = value;
  }
  for (const box of page().querySelectorAll("[data-notiway-topic]:not(:disabled)")) box.checked = told.categories[box.dataset.notiwayTopic]?.[box.dataset.notiwayChannel] ?? true;
  parts("schedule")[0].checked = told.schedule.on;
  for (const day of parts("days")) day.checked = told.schedule.days.includes(day.value);
  for (const name of ["from", "to"]) parts(name)[0].value = told.schedule[name];
}

function say(words) {
  clearTimeout(timer);
  page().querySelector("[data-notiway-saved]").textContent = words;
  if (words === "Saved") timer = setTimeout(say, SAVED, "");
}

async function put(changes) {
  const headers = { Accept: "application/json", "Content-Type": "application/json", ...JSON.parse(page().getAttribute("hx-headers:inherited")) };
  const answer = await fetch(address(), { method: "PUT", headers, body: JSON.stringify(changes), credentials: "same-origin" }).catch(() => null);
  const told = await answer?.json().catch(() => null);
  waiting--;
  if (answer?.ok) return say("Saved"), take(told);
  say("Not saved");
  reflect();
  if (!answer) return showUnreachable();
  const faults = (told?.error?.fields ?? []).map(({ path, message }) => `${path} ${message}`).join("; ");
  return showFailure(`Not saved. ${faults || told?.error?.message || "Try again."}`, wayOut(answer.status));
}

function save(changes) {
  waiting++;
  queue = queue.then(() => put(changes));
}

function meet() {
  if (!page()) return;
  if (!page().dataset.zone && [...zone().options].some(({ value }) => value === here())) zone().value = here();
  reflect();
}

export function start() {
  meet();
  document.addEventListener("notiway:settings", reflect);
  document.addEventListener("change", ({ target }) => {
    const changes = target.closest?.("[data-notiway-settings-form]") && changesOf(target);
    if (changes) save(changes);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-notiway-pause], [data-notiway-settings-form]") || !settings()) return;
    event.preventDefault();
    if (form.matches("[data-notiway-pause]")) save(withZone({ pause: event.submitter?.value ?? "30m" }));
  });
}
