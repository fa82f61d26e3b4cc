// try: which demo is shown, and the line of Python that does what was sent last.
const tabs = document.querySelector("[data-try-tabs]");
const code = document.querySelector("[data-code]");
const COPIED = 2_000; // ms

function mark() {
  const links = [...tabs.querySelectorAll("a")];
  const chosen = links.find((link) => link.hash === location.hash) ?? links[0];
  for (const link of links) link === chosen ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
}

function told(form) {
  if (form.dataset.codeTitle) return { type: form.dataset.codeType, title: form.dataset.codeTitle, message: form.dataset.codeMessage };
  if (form.id !== "notiway-send") return null;
  return Object.fromEntries(new FormData(form));
}

document.addEventListener("submit", ({ target }) => {
  const values = told(target);
  if (!values) return;
  for (const part of code.querySelectorAll("[data-code-part]")) part.textContent = JSON.stringify(values[part.dataset.codePart] ?? "");
}, { capture: true });

code.querySelector("[data-code-copy]").addEventListener("click", async ({ target }) => {
  await navigator.clipboard.writeText(code.querySelector("code").textContent);
  target.textContent = "Copied";
  setTimeout(() => (target.textContent = "Copy"), COPIED);
});

addEventListener("hashchange", mark);
mark();
