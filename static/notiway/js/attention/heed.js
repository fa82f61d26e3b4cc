// heed: what new notifications may do, as the reader has chosen. Asked in the one tab that tells of them.
import { hold } from "./held.js";
import { notify } from "./notify.js";
import { isQuiet } from "./quiet.js";
import { settings } from "./settings.js";
import { chime } from "./sound.js";

export const TEST = "notiway-test"; // the name of a test, which the reader asked for
const GRAVE = ["urgent", "high"]; // what may leave the page

/** Whether a notification may use a channel: toast, browser or sound. */
export function allowed({ topic, name }, channel) {
  if (name === TEST || !settings()) return true;
  const { always, categories } = settings();
  return (always[name] ?? categories[topic])?.[channel] ?? true;
}

const breaksThrough = ({ priority }) => priority === "urgent" && settings().urgentBreaksThrough;

/** Sound and notify for these, and return those that shall pop up on the page. */
export function heed(toasts) {
  const quiet = isQuiet();
  const loud = quiet ? toasts.filter(breaksThrough) : toasts;
  const held = toasts.filter((toast) => !loud.includes(toast) && allowed(toast, "toast"));
  if (held.length) hold(held.map(({ id }) => id));
  if (loud.some((toast) => allowed(toast, "sound"))) chime();
  if (document.hidden) notify(loud.filter((toast) => GRAVE.includes(toast.priority) && allowed(toast, "browser")));
  return loud.filter((toast) => allowed(toast, "toast"));
}
