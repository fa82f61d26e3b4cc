// state: what the dot and the words beside it say of the line.
import { showFailure } from "../toast/failures.js";
import { note } from "./breaks.js";

const WORDS = { connected: "Live", reconnecting: "Reconnecting…", streaming: "Live over SSE", polling: "Checking every 2 seconds", offline: "Offline" };
// RFC 6455 §7.4: after these trying again cannot help; Notiway's own start at 4000.
const FINAL = {
  1008: "Live updates are not allowed here. Reload the page to try again.",
  1009: "Live updates stopped. Reload the page to try again.",
  4001: "You are signed out. Sign in again to continue.",
  4009: "You have been signed out. Sign in again to continue.",
};
let waiting = "reconnecting"; // or what stands in for a WebSocket

let shown = "";

export function show(state, words = WORDS[state]) {
  if (shown === state + words && document.querySelector("[data-connection]")?.dataset.connection === state) return; // each frame says so
  shown = state + words;
  note(state);
  for (const root of document.querySelectorAll("[data-connection]")) root.dataset.connection = state;
  for (const bell of document.querySelectorAll("[data-notiway-bell], [data-notiway-link]")) bell.title = state === "connected" ? "" : words;
  for (const text of document.querySelectorAll("[data-notiway-connection]")) if (text.textContent !== words) text.textContent = words;
}

/** There is no WebSocket: what stands in for it, or that one is sought. */
export const showWaiting = () => show(navigator.onLine === false ? "offline" : waiting);

/** What stands in for a WebSocket from now on; "reconnecting" for nothing. */
export function waitAs(state) {
  waiting = state;
}

export const isFinal = (code) => code in FINAL;

/** The line is gone for good, and why. */
export function showEnd(code) {
  const signedOut = code === 4001 || code === 4009;
  show("offline", signedOut ? "Signed out" : "Offline");
  showFailure(FINAL[code], { href: location.pathname + location.search, linkText: signedOut ? "Sign in" : "Reload" });
}
