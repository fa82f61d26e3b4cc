// sticky-bar: a bar that stays at the top (often the one the bell is in) must not cover what sticks below it.
function measure() {
  let height = 0;
  for (let part = document.querySelector(".notiway-bell"); part; part = part.parentElement) {
    const { position, insetBlockStart } = getComputedStyle(part);
    if ((position === "sticky" || position === "fixed") && insetBlockStart === "0px") height = part.offsetHeight;
  }
  // Half a window of bar would be a sidebar.
  document.documentElement.style.setProperty("--notiway-sticky-top", `${height < innerHeight / 2 ? height : 0}px`);
}

export function start() {
  measure();
  addEventListener("resize", measure);
}
