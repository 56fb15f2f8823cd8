// The Bufdir year, step by step: control, saved figures, report, files.

import { all, ask, call, client, download, rpc } from "../api.mjs";
import { actionButton, card, count, day, empty, h, head, hours, moment, note, pill, select } from "../dom.mjs";
import { table } from "../parts/table.mjs";
import { ofError } from "../refusals.mjs";
import { language, texts } from "../texts.mjs";

const words = texts.bufdir;
const KIND = {
  on_track: "good",
  at_risk: "warn",
  below_threshold: "bad",
  fresh: "good",
  stale: "warn",
  missing: "bad",
};
const FORMATS = ["pdf", "xlsx", "csv", "json"];
const period = (year) => `period_start=${year}-01-01&period_end=${year + 1}-01-01`;
const orNull = (request) =>
  request.catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });

/** The pairs, each with both activities, in the words of whoever decides. */
async function loadDuplicates(year) {
  const pairs = await all(() =>
    client
      .from("possible_duplicates")
      .select("*")
      .gte("activity_date", `${year}-01-01`)
      .lt("activity_date", `${year + 1}-01-01`)
      .order("activity_date")
      .order("activity_id")
      .order("other_id"),
  );
  const shown = pairs.slice(0, 50);
  const ids = [...new Set(shown.flatMap((pair) => [pair.activity_id, pair.other_id]))];
  const [activities, types, people, chapters] =
    ids.length === 0
      ? [[], [], [], []]
      : await Promise.all([
          ask(
            client
              .from("activities")
              .select("id,peer_mentor_id,activity_type_id,duration_minutes,is_proxy_registered")
              .in("id", ids),
          ),
          ask(client.from("activity_types").select("id,label")),
          all(() => client.from("profiles").select("id,display_name").order("id")),
          all(() => client.from("chapters").select("id,name").order("id")),
        ]);
  const named = (rows, key) => new Map(rows.map((row) => [row.id, row[key]]));
  const [labels, names, places] = [named(types, "label"), named(people, "display_name"), named(chapters, "name")];
  const told = new Map(
    activities.map((each) => [
      each.id,
      words.told(
        names.get(each.peer_mentor_id) ?? texts.overview.unknown,
        labels.get(each.activity_type_id),
        each.duration_minutes,
      ),
    ]),
  );
  return {
    all: pairs.length,
    shown: shown.map((pair) => ({
      ...pair,
      chapter: places.get(pair.chapter_id),
      one: told.get(pair.activity_id),
      other: told.get(pair.other_id),
    })),
  };
}

async function load({ me, parts }) {
  const year = Number(parts[0]) || new Date().getFullYear();
  const [alignment, status, snapshot, duplicates, remarks, versions] = await Promise.all([
    call(`bufdir-alignment?year=${year}`),
    call(`snapshot-status?${period(year)}`),
    orNull(call(`metric-snapshots?${period(year)}`)),
    loadDuplicates(year),
    call(`bufdir-reports?${period(year)}&show=remarks`),
    call(`bufdir-reports?${period(year)}`),
  ]);
  return { me, year, alignment, status, snapshot, duplicates, remarks, versions };
}

function thresholds({ alignment }) {
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
            h("li", null, `${type.activity_type_code}: ${count(type.activity_count)}`),
          ),
        ),
      ),
  );
}

function duplicates({ duplicates: found }, again) {
  if (found.all === 0) return card(words.duplicates, note("good", words.noDuplicates));
  const same = async (pair) => {
    await ask(
      client
        .from("activities")
        .update({ duplicate_of: pair.other_id })
        .eq("id", pair.activity_id)
        .select("id")
        .single(),
    );
    await again(texts.saved);
  };
  const different = async (pair) => {
    await ask(client.from("not_duplicates").insert({ activity_id: pair.activity_id, other_id: pair.other_id }));
    await again(texts.saved);
  };
  return card(
    `${words.duplicates} (${found.all})`,
    table(
      "duplicates",
      words.duplicates,
      [
        { label: texts.date, show: (pair) => day(pair.activity_date) },
        { label: words.pair, show: (pair) => [pair.one, h("br"), pair.other] },
        { label: texts.chapter, show: (pair) => pair.chapter },
        { label: words.why, show: (pair) => words.reasons[pair.reason] },
        {
          label: "",
          show: (pair) =>
            h(
              "span",
              { class: "actions" },
              actionButton(words.same, () => same(pair), { class: "small" }),
              actionButton(words.different, () => different(pair), { class: "small" }),
            ),
        },
      ],
      found.shown,
    ),
  );
}

const remarks = ({ remarks: found }) =>
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

/** Who took a step, and when. */
const signature = (version, step) =>
  version[step] && h("span", null, `${words.signed[step]} ${day(version[step].at)}: ${version[step].name}`);

function versionLine(version, { year, me }, again, newest) {
  const take = (step, said) => async () => {
    await call(`bufdir-reports?${period(year)}&step=${step}&version=${version.id}`, "POST");
    await again(said);
  };
  const file = (format) =>
    actionButton(
      format.toUpperCase(),
      async () => words.downloaded(await download(`bufdir-export?version=${version.id}&format=${format}`)),
      { class: "small", "aria-label": `${words.files}: ${format.toUpperCase()}, ${words.version} ${version.version}` },
    );
  const isPreparer = version.prepared.profile_id === me.id;
  return h(
    "section",
    { class: "card", "data-version": version.version },
    h("h3", null, `${words.version} ${version.version}`),
    h(
      "p",
      { class: "actions" },
      ["prepared", "approved", "sent"].map((step) => signature(version, step)),
    ),
    h(
      "div",
      { class: "actions" },
      !version.approved &&
        version === newest &&
        (isPreparer
          ? h("span", { class: "fresh" }, words.prepared)
          : actionButton(words.approve, take("approve", words.approved), { class: "main" })),
      version.approved &&
        !version.sent &&
        version === newest &&
        actionButton(words.send, take("send", words.sent), { class: "main" }),
      version.approved && FORMATS.map(file),
    ),
    me.role === "org_admin" && difference(version), // who sees what every activity was
  );
}

/** Why it says something else than the activities do now: asked for when it is opened. */
function difference(version) {
  const told = h("div", null, texts.working);
  const open = async (event) => {
    if (!event.target.open) return;
    try {
      told.replaceChildren(...explain(await rpc("explain_report_difference", { version: version.id })));
    } catch (error) {
      told.replaceChildren(h("p", { class: "error" }, ofError(error)));
    }
  };
  return h("details", { class: "more", ontoggle: open }, h("summary", null, words.explain), told);
}

/** In words, what was done; then where. @type {(answer: any) => any[]} */
function explain({ difference: sum, kinds, chapters }) {
  if (kinds.length === 0) return [note("good", words.noDifference)];
  return [
    h("p", null, words.sum(signed(sum.activity_count), signed(sum.total_hours))),
    h(
      "ul",
      null,
      kinds.map((each) => h("li", null, words.changed[each.kind](count(each.activities)))),
    ),
    table(
      "differences",
      words.changes,
      [
        { label: texts.chapter, show: (row) => row.chapter_name, text: (row) => row.chapter_name },
        { label: texts.activities, show: (row) => signed(row.activity_count), number: true },
        { label: texts.hours, show: (row) => signed(row.total_hours), number: true },
      ],
      chapters,
    ),
  ];
}

const signed = (number) => `${number > 0 ? "+" : ""}${hours(number)}`;

function report(data, again) {
  const prepare = async () => {
    await call(`bufdir-reports?${period(data.year)}&step=prepare`, "POST");
    await again(words.prepared);
  };
  return card(
    words.versions,
    h(
      "div",
      { class: "actions" },
      actionButton(words.prepare, prepare, { class: "main", id: "prepare", disabled: data.status.verdict !== "fresh" }),
      data.versions.length === 0 && h("span", { class: "fresh" }, words.noVersions),
    ),
    data.versions.map((version) => versionLine(version, data, again, data.versions[0])),
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
        thresholds(data),
        duplicates(data, again),
        remarks(data),
        saved(data, again),
        report(data, again),
      ),
    ];
  },
};
