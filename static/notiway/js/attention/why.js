// why: "Why do I see this?" opens below a row, and closes where it was opened.
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
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const row = ctx.response && ctx.sourceElement?.closest?.("[data-notiway-id]");
    if (ctx.sourceElement?.matches?.("[data-notiway-action=why]")) row?.querySelector("[data-notiway-why]")?.focus();
  });
}
