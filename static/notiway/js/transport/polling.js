// polling: the page asks what is new, every two seconds while it is seen; it hears of stored notifications only.
import { heardTo } from "../list/rows.js";
import { HEADERS } from "../page/background.js";
import { EVERYTHING } from "./connection.js";
import { takeFrame } from "./frames.js";
import { reconcile } from "./reconcile.js";
import { pause } from "./waiting.js";

const SEEN = 1_500; // ms between two questions…
const HIDDEN = 10_000; // … of a tab that nobody looks at
const LONGEST = 30_000; // where the server does not answer, each pause is twice the one before, up to this
const UNAUTHORIZED = 401;
const SIGNED_OUT = 4009;

const changes = (url) => new URL(url, location.href).searchParams.get("changes");

function address() {
  const url = new URL(document.querySelector("[data-notiway-socket]").dataset.notiwayNews, location.href);
  url.searchParams.set("since", heardTo() || EVERYTHING);
  return url.href;
}

/** Ask until `until` (ms since the epoch), or until the signal ends it. `up()` is called after an answer, `down()` without one. */
export async function poll({ signal, until, up, down, end }) {
  let url = address();
  let wait = SEEN;

  async function ask() {
    const answer = await fetch(url, { headers: HEADERS, credentials: "same-origin", cache: "no-store", signal }).catch(() => null);
    if (answer?.status === UNAUTHORIZED) end(SIGNED_OUT);
    if (!answer?.ok || answer.redirected) return null;
    if (answer.status === 204) return { more: false };
    const text = await answer.text().catch(() => null);
    if (text === null || signal.aborted) return null;
    const next = answer.headers.get("Notiway-Next");
    takeFrame(text);
    if (changes(next) !== changes(url)) reconcile();
    url = next;
    return { more: answer.headers.has("Notiway-More") };
  }

  while (!signal.aborted && Date.now() < until) {
    const answer = await ask();
    if (signal.aborted) return;
    answer ? up() : down();
    if (answer?.more) continue;
    if (!answer) wait = Math.min(wait * 2, LONGEST);
    else wait = document.hidden ? HIDDEN : SEEN;
    await pause(wait, signal);
  }
}
