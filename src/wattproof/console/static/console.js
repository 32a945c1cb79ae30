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

// On a phone the navigation is one row: the page that is open is shown in it.
const row = document.querySelector(".main-nav .navbar-nav");
const here = row?.querySelector(".active");
if (here && row.scrollWidth > row.clientWidth) {
  row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
}

function mark(form, sent) {
  for (const button of form.querySelectorAll("button")) {
    button.classList.toggle("disabled", sent);
    if (sent) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }
}

// data-chart: {"kind": "bar"|"line", "stack": bool, "unit": "kWh", "x": [...],
//              "series": [{"name", "values", "kind" where it is another}]}
// or, of what flows from where to where:
//             {"kind": "sankey", "unit": "kWh", "nodes": [{"name", "label", "depth"}],
//              "links": [{"source", "target", "value"}]}
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
  chart.setOption({ ...looks(), ...(wanted.kind === "sankey" ? flows(wanted) : lines(wanted)) });
  new ResizeObserver(() => chart.resize()).observe(element);
}

function looks() {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches || navigator.webdriver;
  return {
    animation: !still,
    backgroundColor: "transparent",
    color: COLOURS,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
  };
}

function numbers() {
  return new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 3 });
}

function lines(wanted) {
  const number = numbers();
  return {
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

function flows(wanted) {
  const number = numbers();
  const labels = new Map(wanted.nodes.map((node) => [node.name, node.label]));
  const last = Math.max(...wanted.nodes.map((node) => node.depth));
  return {
    tooltip: {
      trigger: "item", renderMode: "richText", confine: true,
      formatter: ({ dataType, data, name, value }) => {
        const what = dataType === "edge" ? [data.source, data.target] : [name];
        return `${what.map((one) => labels.get(one)).join(" → ")}: ${number.format(value)} ${wanted.unit}`;
      },
    },
    series: [{
      type: "sankey", left: 4, right: 4, top: 8, bottom: 8, nodeGap: 10, draggable: false,
      emphasis: { focus: "adjacency" },
      lineStyle: { color: "gradient", opacity: 0.3 },
      label: {
        formatter: ({ name }) => labels.get(name), color: getComputedStyle(document.body).color,
        textBorderWidth: 0,
      },
      data: wanted.nodes.map(({ name, depth }) => (
        {
          name, depth, label: { position: depth === last ? "left" : "right" },
          itemStyle: { color: [COLOURS[0], COLOURS[2], COLOURS[1]][depth % 3] },
        })),
      links: wanted.links,
    }],
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
