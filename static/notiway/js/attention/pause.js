// pause: the menu of the panel that turns on do not disturb. It is a <details>; this closes it as readers expect of a menu.
const menus = () => [...document.querySelectorAll("[data-notiway-pause-menu][open]")];

function close(menu) {
  const held = menu.contains(document.activeElement);
  menu.open = false;
  if (held) menu.querySelector("summary").focus();
}

/** The morning that a reader means is that of this device, until a time zone was chosen. */
function meet() {
  for (const field of document.querySelectorAll("[data-notiway-here]")) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}

export function start() {
  meet();
  document.addEventListener("htmx:after:swap", ({ detail }) => detail.ctx.response && meet());
  document.addEventListener("click", ({ target }) => menus().filter((menu) => !menu.contains(target)).forEach(close));
  document.addEventListener("focusin", ({ target }) => menus().filter((menu) => !menu.contains(target)).forEach(close));
  document.addEventListener("submit", ({ target }) => menus().filter((menu) => menu.contains(target)).forEach(close));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menus().some((menu) => menu.contains(event.target))) return;
    event.preventDefault(); // this one is not for the panel around it
    menus().forEach(close);
  });
}
