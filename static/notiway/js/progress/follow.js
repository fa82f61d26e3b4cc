// follow: a job may report to the one tab that started it. Forms carry this tab's connection in
// <input type="hidden" name="connection" data-notiway-connection-id>; after a reload the tab asks for its jobs again.
import { connectionId } from "../transport/connection.js";
import { request, show } from "./request.js";

const KEY = "notiway:tasks"; // in sessionStorage, which is this tab's alone
const RUNNING = ["queued", "processing"];

function followed(change) {
  try {
    const urls = new Set(JSON.parse(sessionStorage.getItem(KEY) ?? "[]"));
    change?.(urls);
    if (change) sessionStorage.setItem(KEY, JSON.stringify([...urls]));
    return [...urls];
  } catch {
    return []; // storage is off: then a reload forgets
  }
}

function fillFields() {
  for (const field of document.querySelectorAll("[data-notiway-connection-id]")) field.value = connectionId() ?? "";
}

async function ask(url) {
  const answer = await request(url, { method: "POST", body: new URLSearchParams({ connection: connectionId() }) });
  if (answer.status === 404) followed((urls) => urls.delete(url));
  await show(answer);
}

function placed({ target }) {
  const { notiwayFollow: url, status } = target.dataset;
  if (url) followed((urls) => (RUNNING.includes(status) ? urls.add(url) : urls.delete(url)));
}

export function start() {
  document.addEventListener("notiway:placed", placed);
  document.addEventListener("notiway:connected", () => {
    fillFields();
    Promise.allSettled(followed().map(ask));
  });
  document.addEventListener("htmx:after:swap", fillFields);
}
