// held: what came while it was quiet is told once, when it is over, by one of the reader's tabs.
import { onDone } from "../list/rows.js";
import { turn } from "../page/turn.js";
import { showToast } from "../toast/stack.js";
import { reader } from "./settings.js";

const MOST = 500; // notifications that are remembered
let unstored = []; // where the browser keeps nothing

const key = () => `notiway:quieted:${reader()}`;

function kept() {
  try {
    return JSON.parse(localStorage.getItem(key()) ?? "[]");
  } catch {
    return unstored;
  }
}

function keep(ids) {
  try {
    if (ids.length) localStorage.setItem(key(), JSON.stringify(ids));
    else localStorage.removeItem(key());
  } catch {
    unstored = ids;
  }
}

/** Remember notifications that popped up nowhere. */
export function hold(ids) {
  keep([...new Set([...kept(), ...ids])].slice(-MOST));
}

function forget(isRead) {
  const ids = kept();
  const rest = ids.filter((id) => !isRead(id));
  if (rest.length < ids.length) keep(rest);
}

/** Each tab takes what is left in its turn, so the first one tells it all. What was read elsewhere is not counted. */
function tell() {
  const unread = Number(document.getElementById("notiway-badge")?.dataset.count ?? MOST);
  const count = Math.min(kept().length, unread);
  keep([]);
  if (!count) return;
  const title = `${count} ${count === 1 ? "notification" : "notifications"} came while Do not disturb was on`;
  showToast({ type: "info", title, href: document.querySelector("[data-notiway-toasts]")?.dataset.history ?? "" });
}

/** It is quiet no longer, unless `isQuiet` says otherwise by the time of this tab's turn. */
export async function summarise(isQuiet) {
  if (!kept().length) return;
  await turn(); // the tab that is looked at tells it
  if (isQuiet()) return;
  if (navigator.locks) await navigator.locks.request(key(), tell);
  else tell();
}

export function start() {
  onDone((id) => forget((held) => held === id));
  document.addEventListener("notiway:read-up-to", ({ detail: before }) => forget((id) => !before || id <= before));
}
