// follow: a job may report to the one tab that started it. Forms carry this tab's connection in
// <input type="hidden" name="connection" data-notiway-connection-id>; after a reload the tab asks for its jobs again.
import { connectionId } from "../transport/connection.js";
import { place } from "../page/place.js";

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
  const holder = document.querySelector(".notiway-bell");
  const csrf = JSON.parse(holder?.getAttribute("hx-headers:inherited") ?? "{}");
  const headers = { ...csrf, "HX-Request": "true", "X-Notiway-Background": "1" };
  const answer = await fetch(url, { method: "POST", body: new URLSearchParams({ connection: connectionId() }), headers, credentials: "same-origin" });
  if (answer.status === 404) followed((urls) => urls.delete(url));
  if (!answer.ok || answer.redirected) return;
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  for (const part of [...template.content.children]) place(document.importNode(part, true));
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
