// permission: on the settings page, what this browser says to notifications, and the way out. It is asked for on a click only.
import { settings } from "./settings.js";

const WORDS = {
  insecure: "This browser allows it only on pages that were loaded over https. Open this site over https.",
  unsupported: "This browser has no notifications for pages. Use another one, or keep a page open.",
  denied: "Blocked in this browser. Open its settings for this site (beside the address), allow notifications, and load this page again.",
  default: "This browser has not been asked yet.",
  granted: "Allowed in this browser.",
};

/** insecure, unsupported, denied, default or granted. */
export function state() {
  if (!globalThis.isSecureContext) return "insecure";
  return globalThis.Notification?.permission ?? "unsupported";
}

export const words = () => WORDS[state()];

function show() {
  const text = document.querySelector("[data-notiway-permission]");
  if (!text) return;
  text.textContent = words();
  text.dataset.state = state();
  document.querySelector("[data-notiway-ask]").hidden = !(settings()?.browser && state() === "default");
}

async function ask() {
  if (state() === "default") await Notification.requestPermission();
  show();
}

export function start() {
  show();
  document.addEventListener("notiway:settings", show);
  document.addEventListener("htmx:after:swap", show);
  document.addEventListener("change", ({ target }) => target.dataset?.notiwaySet === "browser" && target.checked && ask());
  document.addEventListener("click", ({ target }) => target.closest?.("[data-notiway-ask-permission]") && ask());
  // Where somebody changes it in the browser's own settings meanwhile.
  navigator.permissions?.query({ name: "notifications" }).then((status) => status.addEventListener("change", show), () => {});
}
