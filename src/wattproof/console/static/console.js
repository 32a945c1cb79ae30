// What pages gain with JavaScript: charts, and forms that are sent once. Reading needs none of it.

for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button")) {
      button.setAttribute("aria-disabled", "true");
      button.classList.add("disabled");
    }
  });
}
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form[data-once] button.disabled")) {
    button.removeAttribute("aria-disabled");
    button.classList.remove("disabled");
  }
});

const charts = document.querySelectorAll("[data-chart]");
if (charts.length && window.echarts) {
  for (const element of charts) draw(element);
}

// data-chart: {"kind": "bar"|"line", "stack": bool, "unit": "kWh", "x": [...], "series": [{"name", "values"}]}
function draw(element) {
  const wanted = JSON.parse(element.dataset.chart);
  const style = getComputedStyle(document.body);
  const dark = document.documentElement.dataset.bsTheme === "dark";
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches || navigator.webdriver;
  const chart = window.echarts.init(element, dark ? "dark" : null, { renderer: "canvas" });
  chart.on("finished", () => { element.dataset.drawn = "true"; });
  chart.setOption({
    animation: !still,
    backgroundColor: "transparent",
    textStyle: { fontFamily: style.fontFamily },
    aria: { enabled: true },
    grid: { left: 8, right: 16, top: 40, bottom: 8, containLabel: true },
    legend: { top: 0, show: wanted.series.length > 1 },
    tooltip: { trigger: "axis", renderMode: "richText" },
    xAxis: { type: "category", data: wanted.x },
    yAxis: { type: "value", name: wanted.unit },
    series: wanted.series.map((line) => ({
      name: line.name, type: wanted.kind, data: line.values,
      stack: wanted.stack ? "all" : undefined, showSymbol: false, large: true,
    })),
  });
  new ResizeObserver(() => chart.resize()).observe(element);
}
