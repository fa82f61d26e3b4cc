// background: how scripts ask for parts of a page by themselves.
export const HEADERS = {
  Accept: "text/html",
  "HX-Request": "true",
  "HX-Request-Type": "partial",
  "X-Notiway-Background": "1", // no sign of a person: it must not prolong the login session
};

/** The parts that the server draws at this address; null if it does not. In a template element nothing runs or loads. */
export async function fetchParts(url) {
  const answer = await fetch(url, { headers: HEADERS, credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return null;
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  return template.content;
}
