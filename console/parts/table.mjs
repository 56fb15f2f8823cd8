// A table of any length: searched, sorted as it comes, a page at a time. What was asked for is kept over a renewal.

import { count, empty, h } from "../dom.mjs";
import { locale, texts } from "../texts.mjs";

const PAGE = 25;
const NARROW = 4; // what a phone shows beside each other; more columns are shown below each other
/** @type {Map<string, { query: string, page: number }>} */
const views = new Map();

/**
 * @param {string} id kept over renewals: what is typed and which page is open
 * @param {string} caption
 * @param {{ label: string, show: (row: any) => any, number?: boolean, text?: (row: any) => string }[]} columns
 *   the first one heads its row; a column with `text` is searched
 * @param {any[]} rows
 */
export function table(id, caption, columns, rows) {
  const view = views.get(id) ?? { query: "", page: 0 };
  views.set(id, view);
  const body = h("tbody");
  const pager = h("div", { class: "pager" });
  const shown = () => {
    const words = view.query.toLocaleLowerCase(locale);
    return rows.filter((row) =>
      columns.some((column) => column.text?.(row)?.toLocaleLowerCase(locale).includes(words) || words === ""),
    );
  };
  function draw() {
    const found = shown();
    const last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
    view.page = Math.min(view.page, last);
    const from = view.page * PAGE;
    body.replaceChildren(...found.slice(from, from + PAGE).map((row) => line(columns, row)));
    const step = (by, label) =>
      h(
        "button",
        {
          type: "button",
          class: "small",
          id: `${id}-${by > 0 ? "next" : "previous"}`,
          disabled: view.page + by < 0 || view.page + by > last,
          onclick: () => {
            view.page += by;
            draw();
            /** @type {any} */ (document.getElementById(`${id}-${by > 0 ? "next" : "previous"}`))?.focus();
          },
        },
        label,
      );
    pager.hidden = rows.length <= PAGE;
    pager.replaceChildren(
      ...(last > 0 ? [step(-1, texts.table.previous), step(1, texts.table.next)] : []),
      h(
        "span",
        { role: "status" },
        texts.table.range(
          count(found.length ? from + 1 : 0),
          count(Math.min(from + PAGE, found.length)),
          count(found.length),
        ),
      ),
    );
  }
  draw();
  if (rows.length === 0) return empty(texts.table.none);
  const search = h("input", {
    type: "search",
    id: `${id}-search`,
    value: view.query,
    oninput: (event) => {
      view.query = event.target.value;
      view.page = 0;
      draw();
    },
  });
  return h(
    "div",
    null,
    rows.length > PAGE && h("label", { class: "search" }, texts.table.search, search),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      h(
        "table",
        columns.length > NARROW ? { role: "table", class: "stacked" } : null,
        h("caption", { class: "unseen" }, caption),
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            columns.map((column) => h("th", { scope: "col", class: column.number ? "number" : null }, column.label)),
          ),
        ),
        body,
      ),
    ),
    pager,
  );
}

const line = (columns, row) =>
  h(
    "tr",
    { role: "row" },
    columns.map((column, index) =>
      h(
        index === 0 ? "th" : "td",
        {
          scope: index === 0 ? "row" : null,
          role: index === 0 ? "rowheader" : "cell",
          class: column.number ? "number" : null,
          "data-label": index === 0 ? null : column.label,
        },
        column.show(row),
      ),
    ),
  );
