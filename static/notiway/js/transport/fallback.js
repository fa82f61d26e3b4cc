// fallback: where no WebSocket comes about, a stream of server-sent events stands in for it, and where that brings
// nothing either, the page asks every two seconds. The WebSocket is dialled now and then, and takes over when it speaks.
import { dialAgain, end } from "./connection.js";
import { keep, kept } from "./network.js";
import { poll } from "./polling.js";
import { isFinal, showWaiting, waitAs } from "./state.js";
import { listen } from "./stream.js";
import { pause } from "./waiting.js";

const REFUSED = 2; // dials in a row that brought nothing, on a page that had no WebSocket yet
const PATIENCE = 4_000; // ms without one, on such a page…
const RESTART = 15_000; // … and on one that had: a server that restarts is back before
const SOON = 2_000; // ms until such a page dials again, once something stands in…
const AGAIN = 60_000; // … and until any other one does; each time twice as long…
const LONGEST = 300_000; // … up to this
const BRIEF = 5_000; // ms: a WebSocket that ends sooner…
const CUT = 3; // … so often in a row is as good as none
const BETWEEN = 500; // ms between two streams
const TOO_MANY = 4008;
const spread = (ms) => ms * (1 + 0.3 * Math.random());

let refused = 0;
let brief = 0;
let hadSocket = false;
let patience = null;
let running = null; // AbortController, while something stands in
let isUp = false; // and it brings what is new
let again = AGAIN;
let dialAt = 0; // when the WebSocket is tried again, and the stream; in ms since the epoch
let streamAt = 0;
let dialTimer = null;

const remember = () => keep(running ? { dialAt, streamAt } : null);

function dialLater(ms) {
  dialAt = Date.now() + ms;
  clearTimeout(dialTimer);
  dialTimer = setTimeout(dialAgain, ms + 10);
  remember();
}

function up(state) {
  if (!isUp) dialLater(spread(again));
  isUp = true;
  waitAs(state);
  showWaiting();
}

function down() {
  isUp = false;
  waitAs("reconnecting");
  showWaiting();
}

async function stand(signal) {
  while (!signal.aborted) {
    if (Date.now() < streamAt) {
      await poll({ signal, until: streamAt, up: () => up("polling"), down, end });
      continue;
    }
    const lasted = await listen({ signal, up: () => up("streaming"), end: (code) => isFinal(code) && end(code) });
    if (signal.aborted) return;
    down();
    if (!lasted) streamAt = Date.now() + spread(AGAIN);
    else await pause(BETWEEN, signal);
    remember();
  }
}

function begin() {
  waitNoMore();
  if (running) return;
  running = new AbortController();
  again = hadSocket && brief < CUT ? SOON : Math.max(again, AGAIN);
  stand(running.signal);
}

function waitNoMore() {
  clearTimeout(patience);
  patience = null;
}

function wait() {
  if (!running) patience ??= setTimeout(begin, hadSocket ? RESTART : PATIENCE);
}

function finish() {
  waitNoMore();
  clearTimeout(dialTimer);
  running?.abort();
  running = null;
  isUp = false;
  streamAt = 0;
  waitAs("reconnecting");
  remember();
}

/** The WebSocket is to be dialled: not now, if something stands in for it. */
function dialled(event) {
  if (isUp && Date.now() < dialAt) event.preventDefault();
  else wait();
}

function lost({ detail: { code, lived } }) {
  refused = lived ? 0 : refused + 1;
  brief = lived > BRIEF ? 0 : brief + (lived ? 1 : 0);
  if (lived > BRIEF) again = AGAIN;
  const isHopeless = code === TOO_MANY || brief >= CUT || (refused >= REFUSED && !hadSocket);
  if (isUp || brief > CUT) again = Math.min(again * 2, LONGEST);
  if (isUp) dialLater(spread(again));
  else isHopeless ? begin() : wait();
}

/** Another network, or the same one again: what is known of it counts no more. */
function forget() {
  dialAt = streamAt = refused = brief = 0;
  again = AGAIN;
}

export function start() {
  const known = kept();
  wait();
  if (known.dialAt > Date.now()) {
    ({ dialAt, streamAt } = known);
    begin();
  }
  document.addEventListener("notiway:dial", dialled);
  document.addEventListener("notiway:lost", lost);
  document.addEventListener("notiway:spoke", () => {
    hadSocket = true;
    finish();
  });
  document.addEventListener("notiway:ended", finish);
  document.addEventListener("notiway:wake", forget);
}
