// settings: what the reader has said about attention. The page brings it, a change comes over the line, and what was
// missed is fetched. Everybody who needs to know is told by "notiway:settings".
import { HEADERS } from "../page/background.js";

let current = null;
let skew = 0; // ms that this clock is ahead of the server's
let met = null; // the bell that brought them
const bell = () => document.querySelector("[data-notiway-settings]");

/** The settings as GET /notifications/settings has them; null on a page without a bell. */
export const settings = () => current;
/** The server's clock, in ms. */
export const serverNow = () => Date.now() - skew;
/** The moment on this clock that the server calls `ms`. */
export const localTime = (ms) => ms + skew;
/** Names the reader in what this browser keeps. */
export const reader = () => bell()?.dataset.notiwayReader ?? "";
export const address = () => bell()?.dataset.notiwaySettingsUrl;

function apply() {
  const root = document.documentElement;
  root.dataset.notiwayShortcuts = current.shortcuts ? "on" : "off";
  root.dataset.notiwayMotion = current.motion;
  root.dataset.notiwayDensity = current.density;
  const toasts = document.querySelector("[data-notiway-toasts]");
  if (toasts) {
    toasts.dataset.usual ??= toasts.dataset.seconds;
    toasts.dataset.seconds = current.toastSeconds === null ? toasts.dataset.usual : current.toastSeconds || "Infinity";
  }
}

/** Take settings over, unless this page knows newer ones. */
export function take(told) {
  if (current && told.revision < current.revision) return;
  skew = Math.min(skew, Date.now() - told.now); // what was under way for longer looks later
  current = told;
  apply();
  document.dispatchEvent(new CustomEvent("notiway:settings"));
}

/** Ask the server. `X-Notiway-Background` is no sign of a person: it must not prolong the login session. */
export async function refresh() {
  const asked = Date.now();
  const answer = address() && (await fetch(address(), { headers: { ...HEADERS, Accept: "application/json", "HX-Request": "false" }, credentials: "same-origin" }).catch(() => null));
  if (!answer?.ok || answer.redirected) return null;
  const told = await answer.json();
  skew = (asked + Date.now()) / 2 - told.now;
  take(told);
  return { skew, took: Date.now() - asked };
}

/** A page that was fetched in the place of another has a bell of its own, and may be newer. */
function meet() {
  if (!bell() || bell() === met) return;
  met = bell();
  const told = JSON.parse(bell().dataset.notiwaySettings);
  if (current === null) skew = Date.now() - told.now;
  take(told);
}

export function start() {
  meet();
  document.addEventListener("htmx:after:swap", ({ detail }) => detail.ctx.response && meet());
  document.addEventListener("notiway:reconciled", refresh);
}
