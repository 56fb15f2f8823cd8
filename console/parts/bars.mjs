// Twelve months as bars, this year beside the one before; the same numbers as a table for whoever reads them.

import { count, h, hours } from "../dom.mjs";
import { texts } from "../texts.mjs";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
/** @type {any} */
let chart = null;

/** @type {(year: number, now: any[], before: any[]) => any} */
export function bars(year, now, before) {
  const canvas = h("canvas", { role: "img", "aria-label": texts.bars.label(year) });
  const counts = (rows) => texts.months.map((_, month) => rows[month]?.activity_count ?? 0);
  chart?.destroy();
  // Once it is in the page, where it has a size.
  requestAnimationFrame(() => {
    chart = new /** @type {any} */ (window).Chart(canvas, {
      type: "bar",
      data: {
        labels: texts.months,
        datasets: [
          { label: String(year - 1), data: counts(before), backgroundColor: colour("--bar-before"), borderRadius: 3 },
          { label: String(year), data: counts(now), backgroundColor: colour("--bar"), borderRadius: 3 },
        ],
      },
      options: {
        animation: false,
        maintainAspectRatio: false,
        scales: {
          x: { grid: { display: false }, ticks: { color: colour("--soft") } },
          y: {
            beginAtZero: true,
            grid: { color: colour("--line") },
            ticks: { color: colour("--soft"), precision: 0 },
            title: { display: true, text: texts.activities, color: colour("--soft") },
          },
        },
        plugins: { legend: { align: "end", labels: { color: colour("--ink"), boxWidth: 14 } } },
      },
    });
  });
  return h(
    "div",
    { class: "figures" },
    h("div", { class: "chart" }, canvas),
    h(
      "details",
      { class: "more" },
      h("summary", null, texts.bars.asTable),
      h(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": texts.bars.label(year) },
        h(
          "table",
          null,
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              [
                texts.month,
                `${texts.activities} ${year}`,
                `${texts.hours} ${year}`,
                `${texts.activities} ${year - 1}`,
              ].map((label, index) => h("th", { scope: "col", class: index ? "number" : null }, label)),
            ),
          ),
          h(
            "tbody",
            null,
            texts.months.map((name, month) =>
              h(
                "tr",
                null,
                h("th", { scope: "row" }, name),
                h("td", { class: "number" }, count(now[month]?.activity_count ?? 0)),
                h("td", { class: "number" }, hours(now[month]?.total_hours ?? 0)),
                h("td", { class: "number" }, count(before[month]?.activity_count ?? 0)),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}
