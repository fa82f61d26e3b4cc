// stream: the frames of the WebSocket, as server-sent events over HTTP (WHATWG HTML §9.2).
import { heardTo } from "../list/rows.js";
import { EVERYTHING } from "./connection.js";
import { takeFrame } from "./frames.js";
import { wanted } from "./subscriptions.js";
import { ticketed } from "./ticket.js";

const FIRST = 4_000; // ms until the greeting must be here, else a proxy keeps it back
const SILENCE = 2.5; // heartbeats missed before a stream is given up
const SLOTS = 3; // streams of one browser: with HTTP/1.1 it opens six connections to a server, and pages need some
const LASTED = 5_000; // ms: one that ends sooner brings no more than asking does
const UNAUTHORIZED = 401;
const SIGNED_OUT = 4009;

const socketElement = () => document.querySelector("[data-notiway-socket]");
const joined = (audiences) => [...audiences].sort().join(" ");

async function address(audiences) {
  const url = new URL(socketElement().dataset.notiwayStream, location.href);
  url.searchParams.set("since", heardTo() || EVERYTHING);
  for (const audience of audiences) url.searchParams.append("audience", audience);
  await ticketed(url);
  return url.href;
}

/** The events in a text that comes in pieces: `events(piece)` gives those that are whole by now, as {event, data}. */
function reader() {
  let rest = "";
  return (piece) => {
    const blocks = (rest + piece).split("\n\n");
    rest = blocks.pop();
    return blocks.map((block) => {
      const lines = block.split("\n");
      const value = (name) => lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
      return { event: value("event")[0] ?? "message", data: value("data").join("\n") };
    });
  };
}

/** A tab beyond the slots does not listen; without Web Locks (plain http) nobody can tell how many do, so none does. */
async function inSlot(work) {
  for (let slot = 0; navigator.locks && slot < SLOTS; slot += 1) {
    const done = await navigator.locks.request(`notiway:stream:${slot}`, { ifAvailable: true }, (lock) => lock && work());
    if (done !== null) return done;
  }
  return false;
}

async function read({ signal, up, end }) {
  const audiences = wanted();
  const own = new AbortController();
  const stop = () => own.abort();
  let timer = setTimeout(stop, FIRST);
  let upAt = 0;
  let again = false;
  const anew = () => ((again = true), stop());
  const changed = () => joined(wanted()) !== joined(audiences) && anew();
  signal.addEventListener("abort", stop);
  document.addEventListener("notiway:audiences", changed);
  document.addEventListener("notiway:wake", anew);
  try {
    const options = { headers: { Accept: "text/event-stream" }, credentials: "same-origin", cache: "no-store", signal: own.signal };
    const answer = await fetch(await address(audiences), options);
    if (answer.status === UNAUTHORIZED) end(SIGNED_OUT);
    if (!answer.ok || !answer.headers.get("Content-Type")?.startsWith("text/event-stream")) return false;
    const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    const events = reader();
    for (let piece = await pieces.read(); !piece.done; piece = await pieces.read()) {
      for (const { event, data } of events(piece.value)) {
        if (event === "close") end(Number(data));
        if (event !== "message" || !data) continue;
        clearTimeout(timer);
        timer = setTimeout(stop, Number(socketElement().dataset.heartbeat) * 1000 * SILENCE);
        takeFrame(data);
        upAt ||= Date.now();
        up();
      }
    }
  } catch {
    // Cut off, by the network or by ourselves.
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    document.removeEventListener("notiway:audiences", changed);
    document.removeEventListener("notiway:wake", anew);
  }
  return again || (upAt > 0 && Date.now() - upAt > LASTED);
}

/** Listen until the stream ends; whether it is worth listening again at once. `up()` is called for each frame. */
export const listen = (how) => inSlot(() => read(how));
