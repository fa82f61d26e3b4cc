// why: "Why do I see this?" opens below a row, and closes where it was opened.
let asked = null; // the row that an answer comes for
const opener = (row) => row?.querySelector("[data-notiway-action=why]");

function close(shown) {
  const row = shown.closest("[data-notiway-id]");
  const held = shown.contains(document.activeElement);
  shown.remove();
  if (held) opener(row)?.focus();
}

export function start() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-notiway-action=why], [data-notiway-why-close]");
    const shown = button?.closest("[data-notiway-id]")?.querySelector("[data-notiway-why]");
    if (!shown) return;
    event.preventDefault();
    event.stopPropagation(); // else htmx would fetch it again
    close(shown);
  }, { capture: true });
  document.addEventListener("keydown", (event) => {
    const shown = event.key === "Escape" && event.target.closest?.("[data-notiway-id] [data-notiway-why]");
    if (shown) event.preventDefault(), close(shown); // this Escape is not for the panel around it
  });
  // What was pressed may be gone after the swap: it leads to its row before.
  document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
    if (ctx.response) asked = ctx.sourceElement?.closest?.("[data-notiway-action=why], [data-notiway-why]")?.closest("[data-notiway-id]");
  });
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    if (!ctx.response) return;
    asked?.querySelector("[data-notiway-why]")?.focus();
    asked = null;
  });
}
