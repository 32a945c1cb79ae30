// What pages gain with JavaScript: charts, and forms that are sent once. Reading needs none of it.

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-once]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "true";
  mark(form, true);
});

// A page that comes back from the browser's own memory may send its forms again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    mark(form, false);
  }
});

function mark(form, sent) {
  for (const button of form.querySelectorAll("button")) {
    button.classList.toggle("disabled", sent);
    if (sent) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }
}

// data-chart: {"kind": "bar"|"line", "stack": bool, "unit": "kWh", "x": [...],
//              "series": [{"name", "values", "kind" where it is another}]}
const COLOURS = ["#066fd1", "#2fb344", "#f59f00", "#ae3ec9", "#0ca678", "#d63939", "#4263eb", "#f76707"];
const drawn = new WeakMap();

function drawAll() {
  if (!window.echarts) return;
  for (const element of document.querySelectorAll("[data-chart]")) {
    if (!drawn.has(element)) draw(element);
  }
}

function draw(element) {
  const wanted = JSON.parse(element.dataset.chart);
  const dark = document.documentElement.dataset.bsTheme === "dark";
  const chart = window.echarts.init(element, dark ? "dark" : null, { renderer: "canvas" });
  drawn.set(element, chart);
  chart.on("finished", () => { element.dataset.drawn = "true"; });
  chart.setOption(options(wanted));
  new ResizeObserver(() => chart.resize()).observe(element);
}

function options(wanted) {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches || navigator.webdriver;
  const language = document.documentElement.lang;
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 3 });
  return {
    animation: !still,
    backgroundColor: "transparent",
    color: COLOURS,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 8, right: 16, top: wanted.series.length > 1 ? 64 : 40, bottom: 8, containLabel: true },
    legend: { type: "scroll", top: 0, show: wanted.series.length > 1 },
    tooltip: {
      trigger: "axis", renderMode: "richText", confine: true,
      valueFormatter: (value) => (value == null ? "–" : `${number.format(value)} ${wanted.unit}`),
    },
    xAxis: { type: "category", data: wanted.x, axisLabel: { hideOverlap: true } },
    yAxis: {
      type: "value", name: wanted.unit, nameTextStyle: { align: "left" },
      axisLabel: { formatter: (value) => number.format(value) },
    },
    series: wanted.series.map((line) => ({
      name: line.name, type: line.kind ?? wanted.kind, data: line.values,
      stack: wanted.stack ? "all" : undefined, showSymbol: false, barMaxWidth: 40,
    })),
  };
}

// Charts that come later, with a part of the page that was loaded anew, are drawn too; and all of
// them again when light and dark change.
new MutationObserver(drawAll).observe(document.body, { childList: true, subtree: true });
new MutationObserver(() => {
  for (const element of document.querySelectorAll("[data-chart]")) {
    drawn.get(element)?.dispose();
    drawn.delete(element);
  }
  drawAll();
}).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
drawAll();
