// The Bufdir year, step by step: control, saved figures, report, files.

import { ask, call, client, leavePage } from "../api.mjs";
import { actionButton, card, count, empty, h, head, hours, moment, note, pill, select } from "../dom.mjs";
import { forget, later } from "../parts/later.mjs";
import { table } from "../parts/table.mjs";
import { language, texts } from "../texts.mjs";
import { duplicates, loadDuplicates } from "./bufdir/duplicates.mjs";
import { report } from "./bufdir/versions.mjs";

const words = texts.bufdir;
const KIND = {
  on_track: "good",
  at_risk: "warn",
  below_threshold: "bad",
  fresh: "good",
  stale: "warn",
  missing: "bad",
};
const period = (year) => `period_start=${year}-01-01&period_end=${year + 1}-01-01`;
const orNull = (request) =>
  request.catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });

/**
 * What goes through the activities of the whole year comes one by one, because the server computes one report of an
 * organisation at a time; the duplicates, which are no report, beside them. Another page may be opened meanwhile.
 */
async function load({ me, parts, isAgain }) {
  const year = Number(parts[0]) || new Date().getFullYear();
  if (!isAgain) forget();
  const isOpen = leavePage();
  const then = (before, act) =>
    before.then(act, (error) => {
      if (isOpen()) return act();
      throw error;
    });
  const [snapshot, versions, types] = await Promise.all([
    orNull(call(`metric-snapshots?${period(year)}`)),
    call(`bufdir-reports?${period(year)}`),
    ask(client.from("activity_types").select("code,label")),
  ]);
  const status = call(`snapshot-status?${period(year)}`).then((answer) => ({
    me,
    year,
    status: answer,
    snapshot,
    versions,
  }));
  const alignment = then(status, () => call(`bufdir-alignment?year=${year}`));
  const remarks = then(alignment, () => call(`bufdir-reports?${period(year)}&show=remarks`));
  const looked = h("span", null, texts.computing);
  const duplicates = then(status, () =>
    loadDuplicates(year, (month) => {
      looked.textContent = words.looking(texts.months[month - 1]);
    }),
  );
  const labels = new Map(types.map((type) => [type.code, type.label]));
  return { year, labels, status, alignment, duplicates, looked, remarks };
}

function thresholds(alignment, labels) {
  const numbers = [
    { label: words.minimum, show: (row) => count(row.minimum_activity_count), number: true },
    { label: words.reached, show: (row) => count(row.activity_count), number: true },
    { label: words.missing, show: (row) => count(row.missing_count), number: true },
  ];
  return card(
    words.thresholds,
    note(
      alignment.is_aligned ? "good" : "bad",
      alignment.is_aligned ? words.aligned : words.drift(alignment.drift.length),
    ),
    alignment.shortfalls.length === 0
      ? empty(words.noThresholds)
      : table(
          "shortfalls",
          words.shortCaption,
          [
            { label: words.category, show: (row) => row.bufdir_category_code },
            ...numbers,
            { label: "", show: (row) => pill(KIND[row.status], words.status[row.status ?? "hidden"]) },
          ],
          alignment.shortfalls,
        ),
    alignment.unmapped_types.length > 0 &&
      h(
        "div",
        null,
        h("h3", null, words.unmapped),
        h("p", { class: "fresh" }, words.unmappedNote),
        h(
          "ul",
          null,
          alignment.unmapped_types.map((type) =>
            h("li", null, `${labels.get(type.activity_type_code)}: ${count(type.activity_count)}`),
          ),
        ),
      ),
  );
}

const remarks = (found) =>
  card(
    words.remarks,
    found.length === 0
      ? note("good", words.noRemarks)
      : [
          h("p", { class: "fresh" }, words.remarksNote),
          h(
            "ul",
            null,
            found.map((each) => h("li", null, each.sentence[language])),
          ),
        ],
  );

function saved({ status, snapshot, year }, again) {
  const totals = snapshot?.snapshot_json.totals;
  const verify = async () => {
    const answer = await call(`verify-snapshot?${period(year)}`);
    return answer.matches ? words.matches : words.differs(answer.discrepancies.length);
  };
  const compute = async () => {
    await call(`metric-snapshots?${period(year)}`, "PUT");
    await again(words.computed);
  };
  return card(
    words.snapshot,
    h(
      "p",
      { class: "actions" },
      pill(KIND[status.verdict], words.verdict[status.verdict]),
      snapshot ? words.computedAt(moment(snapshot.computed_at)) : words.never,
    ),
    note(KIND[status.verdict], status.banner[language]),
    totals &&
      h(
        "dl",
        { class: "kpis" },
        Object.entries(words.figures).map(([key, label]) =>
          h(
            "div",
            { class: "kpi" },
            h("dt", null, label),
            h("dd", null, key === "total_hours" ? hours(totals[key]) : count(totals[key])),
          ),
        ),
      ),
    h(
      "div",
      { class: "actions" },
      actionButton(words.compute, compute, { class: "main", id: "compute" }),
      snapshot && actionButton(words.verify, verify),
    ),
  );
}

/** @type {import("../main.mjs").Page} */
export const bufdir = {
  statistics: true,
  load,
  render(data, { again }) {
    const latest = new Date().getFullYear();
    const years = Array.from({ length: 5 }, (_, back) => [latest - back, String(latest - back)]);
    return [
      head(
        `${words.title} ${data.year}`,
        words.below,
        h(
          "label",
          null,
          texts.year,
          select(
            {
              id: "year",
              onchange: (event) => {
                location.hash = `#bufdir/${event.target.value}`;
              },
            },
            years,
            data.year,
          ),
        ),
      ),
      h(
        "div",
        { class: "steps" },
        later(words.thresholds, data.alignment, (found) => thresholds(found, data.labels), again),
        later(words.duplicates, data.duplicates, (found) => duplicates(found, again), again, data.looked),
        later(words.remarks, data.remarks, remarks, again),
        later(words.snapshot, data.status, (found) => saved(found, again), again),
        later(words.versions, data.status, (found) => report(found, again), again),
      ),
    ];
  },
};
