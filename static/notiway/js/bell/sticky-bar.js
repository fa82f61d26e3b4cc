// sticky-bar: what stays at the top (a critical banner, the bar that the bell is in) must not cover what sticks below it.
const banner = () => document.querySelector(".notiway-banners:not(.notiway-banners--floating) > [data-severity=critical]:first-child");

function measure() {
  const above = banner()?.offsetHeight ?? 0;
  let height = 0;
  for (let part = document.querySelector(".notiway-bell"); part; part = part.parentElement) {
    const { position, insetBlockStart } = getComputedStyle(part);
    if ((position === "sticky" || position === "fixed") && parseFloat(insetBlockStart) <= above) height = part.offsetHeight;
  }
  const { style } = document.documentElement;
  style.setProperty("--notiway-critical-height", `${above}px`); // a bar of the page's own may stick below it
  // Half a window of bar would be a sidebar.
  style.setProperty("--notiway-sticky-top", `${(height < innerHeight / 2 ? height : 0) + above}px`);
}

export function start() {
  measure();
  addEventListener("resize", measure);
  const banners = document.querySelector("[data-notiway-banners]");
  if (banners) new MutationObserver(measure).observe(banners, { childList: true, subtree: true, attributeFilter: ["hidden"] });
}
