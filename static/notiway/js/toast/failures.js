// failures: refusals and failures become a toast that stays; they never replace what the reader was working on.
// A page says data-notiway-failures where its own htmx requests shall be told of too, when no server answers or it fails.
import { removeRow } from "../list/rows.js";
import { speak } from "../page/live-region.js";
import { dismiss, showToast } from "./stack.js";

const WORDS = {
  400: "This page is out of date.",
  401: "You are signed out.",
  403: "You are not allowed to do that.",
  404: "That notification no longer exists.",
  429: "Too many requests. Wait a moment and try again.",
};
const WAYS = { 400: "Reload", 401: "Sign in" };
const UNREACHABLE = "unreachable"; // the subject of what the next answer makes untrue

/** The link of a failure that only a new page helps: this page again, where the server asks to sign in. */
export const wayOut = (status) => (WAYS[status] ? { href: location.pathname + location.search, linkText: WAYS[status] } : {});

/** Show a failure; `href` and `linkText` name the way out, `about` what it is about, for `dismiss`. */
export function showFailure(message, { href = "", linkText = "", about = "" } = {}) {
  showToast({ type: "error", title: message, href, linkText, about, stays: true });
  speak(message);
}

export const showUnreachable = () => showFailure("The server could not be reached. Try again.", { about: UNREACHABLE });

/** Only our own error fragment is quoted; a proxy's error page is not text for people. */
function told(ctx) {
  const template = document.createElement("template");
  template.innerHTML = ctx.text ?? "";
  return template.content.querySelector("[data-notiway-error]")?.textContent.trim();
}

function failed({ detail: { ctx } }) {
  const owner = ctx?.sourceElement?.closest?.(".notiway, [data-staff], [data-notiway-failures]");
  if (!owner || owner.matches("[data-staff]") || ctx.sourceElement.id === "notiway-recent") return; // those tell it themselves
  if (ctx.sourceElement.matches("[hx-trigger=load]")) return; // marking as seen fails silently: nobody asked for it
  const status = ctx.response?.status;
  if (status < 500 && !owner.matches(".notiway")) return; // the page's own forms show refusals beside their buttons
  const gone = status === 404 && ctx.sourceElement.closest("[data-notiway-id]");
  if (gone) removeRow(gone);
  if (!status) showUnreachable();
  else showFailure((WAYS[status] ? WORDS[status] : (told(ctx) ?? WORDS[status])) ?? "That did not work. Try again.", wayOut(status));
}

const row = (event) => event.detail.ctx.sourceElement?.closest?.("[data-notiway-id]");

export function start() {
  document.addEventListener("htmx:response:error", failed);
  document.addEventListener("htmx:error", failed);
  document.addEventListener("notiway:connected", () => dismiss(UNREACHABLE));
  document.addEventListener("htmx:before:response", () => dismiss(UNREACHABLE));
  // A row that waits for its own answer is left alone by frames about it (list/rows.js).
  document.addEventListener("htmx:before:request", (event) => row(event)?.setAttribute("data-notiway-pending", ""));
  document.addEventListener("htmx:finally:request", (event) => row(event)?.removeAttribute("data-notiway-pending"));
}
