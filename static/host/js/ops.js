// ops: the live dashboard. It fetches the present state, then listens: data-notiway-subscribe begins that, and it ends
// when the board or the page is left. Each sample arrives drawn by templates/events/dashboard-update.html.
const KEPT = 120; // samples: two minutes
const ROWS = 10; // in the table
const SERIES = ["connections", "deliveries", "latencyMs"];
const GAP = 2500; // ms: samples come every second
const isValue = (value) => value != null;
/** A value between two gaps has no line, so it is a point. */
function lonely(plot, index) {
  const values = plot.data[index];
  return values.flatMap((value, at) => (isValue(value) && !isValue(values[at - 1]) && !isValue(values[at + 1]) ? [at] : []));
}
export const SERIES_STYLE = { width: 2, spanGaps: false, points: { show: true, filter: lonely } };
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" });
const dark = matchMedia("(prefers-color-scheme: dark)");

/** A colour as a canvas takes it: a custom property would still say light-dark(…). */
function css(name) {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

const shown = (value) => (value == null ? "–" : value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 2 }));

function draw(figure, samples) {
  const box = figure.querySelector("[data-plot]");
  const axis = { stroke: css("--host-text-soft"), grid: { stroke: css("--host-line"), width: 1 }, ticks: { show: false }, font: "12px sans-serif" };
  const options = {
    width: box.clientWidth,
    height: 140,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 18, 0, 0],
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(high ?? 0, 1) * 1.15] } },
    axes: [{ ...axis, space: 84, size: 28, values: (_plot, splits) => splits.map((at) => clock.format(at * 1000)) }, { ...axis, size: 44 }],
    series: [{}, { stroke: css("--host-accent"), ...SERIES_STYLE }],
  };
  return new uPlot(options, columns(figure.dataset.series, samples), box);
}

/** Seconds and values for uPlot. Where samples are missing a null stands between them: nothing was measured there. */
export function columns(name, samples) {
  const points = [];
  for (const [index, sample] of samples.entries()) {
    const before = samples[index - 1];
    if (before && sample.at - before.at > GAP) points.push([(before.at + sample.at) / 2000, null]);
    points.push([sample.at / 1000, sample[name]]);
  }
  return [points.map(([at]) => at), points.map(([, value]) => value)];
}

function table(board, samples) {
  const rows = samples.slice(-ROWS).reverse().map((sample) => {
    const row = document.createElement("tr");
    for (const text of [clock.format(sample.at), ...SERIES.map((name) => shown(sample[name]))]) row.insertCell().textContent = text;
    return row;
  });
  board.querySelector("tbody").replaceChildren(...rows);
}

async function start(board) {
  const status = board.querySelector("[data-ops-status]");
  const headers = { Accept: "application/json", "X-Notiway-Background": "1" };
  const answer = await fetch(board.dataset.source, { headers, credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok || answer.redirected) {
    status.textContent = "The figures could not be loaded. Reload the page to try again.";
    return;
  }
  const { audience, samples } = await answer.json();
  const figures = [...board.querySelectorAll("figure")];
  let plots = [];

  const renew = () => {
    plots.forEach((plot) => plot.destroy());
    plots = figures.map((figure) => draw(figure, samples));
  };
  const show = () => {
    figures.forEach((figure, index) => {
      plots[index].setData(columns(figure.dataset.series, samples));
      figure.querySelector("[data-value]").textContent = shown(samples.at(-1)?.[figure.dataset.series]);
    });
    table(board, samples);
  };

  renew();
  show();
  board.addEventListener("notiway:placed", ({ target }) => {
    const sample = JSON.parse(target.dataset.sample);
    if (sample.at <= (samples.at(-1)?.at ?? 0)) return;
    samples.push(sample);
    samples.splice(0, samples.length - KEPT);
    show();
  });
  new ResizeObserver(() => figures.forEach((figure, index) => plots[index].setSize({ width: figure.querySelector("[data-plot]").clientWidth, height: 140 }))).observe(board);
  dark.addEventListener("change", () => (renew(), show()));
  document.addEventListener("host:theme", () => (renew(), show()));
  board.dataset.notiwaySubscribe = audience;
}

document.querySelectorAll("[data-ops]").forEach(start);
