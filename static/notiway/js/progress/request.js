// request: asks the server about a task, in the name of a page rather than of a press (it keeps no session alive).
import { place } from "../page/place.js";

/** Ask; the answer. What is asked with POST carries the page's token. */
export function request(url, { method = "GET", body, background = true } = {}) {
  const holder = document.querySelector(".notiway-bell");
  const csrf = JSON.parse(holder?.getAttribute("hx-headers:inherited") ?? "{}");
  const headers = { ...csrf, "HX-Request": "true", ...(background ? { "X-Notiway-Background": "1" } : {}) };
  return fetch(url, { method, body, headers, credentials: "same-origin" });
}

/** Put the bars of an answer into the page, where there are any. */
export async function show(answer) {
  if (!answer.ok || answer.redirected) return;
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  for (const part of [...template.content.children]) place(document.importNode(part, true));
}
