// ticket: where the live process has another origin, no cookie goes there. Each line opens with a ticket that is good once.
import { HEADERS } from "../page/background.js";

const FIRST = 500; // ms before the second try; each one doubles it…
const LONGEST = 8_000; // … up to this
const SPREAD = 0.3;
const UNAUTHORIZED = 401;
let ticket = null;
let tries = 0;
let asking = null;

const socketElement = () => document.querySelector("[data-notiway-socket]");
const address = () => socketElement()?.dataset.notiwayTicket;
const pause = (ms) => new Promise((done) => setTimeout(done, ms * (1 + SPREAD * (2 * Math.random() - 1))));

function token() {
  const headers = JSON.parse(socketElement().closest("[data-notiway-root]")?.getAttribute("hx-headers:inherited") ?? "{}");
  return headers["X-CSRFToken"] ?? "";
}

function fetched() {
  const headers = { ...HEADERS, Accept: "application/json", "X-CSRFToken": token() };
  return fetch(address(), { method: "POST", headers, credentials: "same-origin" }).catch(() => null);
}

const ticketIn = async (answer) => (answer?.ok ? ((await answer.json().catch(() => ({}))).ticket ?? null) : null);

async function ask(dial, ended) {
  if (tries++) await pause(Math.min(FIRST * 2 ** (tries - 2), LONGEST));
  const answer = await fetched();
  if (answer?.status === UNAUTHORIZED) return ended();
  ticket = await ticketIn(answer);
  asking = null;
  if (ticket) dial();
  else fetchTicket(dial, ended);
}

function fetchTicket(dial, ended) {
  asking ??= ask(dial, ended);
}

/** Whether a line may be dialled now, with `url` completed; else a ticket is fetched, and then `dial` is called. */
export function complete(url, dial, ended) {
  if (!address()) return true;
  if (!ticket) fetchTicket(dial, ended);
  else url.searchParams.set("ticket", ticket);
  const has = ticket !== null;
  ticket = null;
  return has;
}

/** Complete the address of a stream, with a ticket of its own where it needs one. */
export async function ticketed(url) {
  if (!address()) return;
  const own = await ticketIn(await fetched());
  if (own) url.searchParams.set("ticket", own);
}

export function start() {
  document.addEventListener("notiway:connected", () => (tries = 0));
}
