// What coordinators and org admins open first: figures, months, categories; down the tree to a chapter.

import { all, ask, call, client, rpc } from "../api.mjs";
import { card, clock, count, day, empty, h, head, hours, isoDay, kpis, pill } from "../dom.mjs";
import { bars } from "../parts/bars.mjs";
import { table } from "../parts/table.mjs";
import { locale, texts } from "../texts.mjs";

const words = texts.overview;
const AGAIN_MS = 1500;
const months = (year, chapters) =>
  rpc("get_activity_series", {
    p_from: `${year}-01-01`,
    p_to: `${year + 1}-01-01`,
    p_bucket: "month",
    p_chapter_ids: chapters,
  });

/** The sum over a year up to a day. */
async function until(date, chapters) {
  const next = new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1);
  const [sum] = await rpc("get_activity_series", {
    p_from: `${date.getFullYear()}-01-01`,
    p_to: isoDay(next),
    p_bucket: "year",
    p_chapter_ids: chapters,
  });
  return sum ?? { activity_count: 0, total_hours: 0 };
}

/** The units at and below one, itself included. @type {(units: any[], id: string) => any[]} */
function subtree(units, id) {
  const below = units.filter((unit) => unit.parent_id === id);
  return [...units.filter((unit) => unit.id === id), ...below.flatMap((unit) => subtree(units, unit.id))];
}

/** The figures that a function keeps; without it, the rest of the page goes on. */
async function summary(unit, year) {
  try {
    return await call(`hierarchy-stats?unit_id=${unit}&year=${year}`);
  } catch (/** @type {any} */ error) {
    if (error.status === 0 || error.status >= 500) return null;
    throw error;
  }
}

async function load({ me, parts }) {
  const today = new Date();
  const year = today.getFullYear();
  const lastYear = new Date(year - 1, today.getMonth(), today.getDate());
  const isAdmin = me.role === "org_admin";
  const [units, chapterStats] = await Promise.all([
    all(() => client.from("organization_units").select("id,parent_id,kind,name,closed_on").order("id")),
    all(() => client.from("chapter_stats").select("*").order("chapter_id")),
  ]);
  const root = units.find((unit) => unit.parent_id === null);
  const unit = units.find((each) => each.id === parts[0]) ?? (isAdmin ? root : null);
  const isWhole = !unit || unit === root;
  const chapters = isWhole
    ? null
    : subtree(units, unit.id)
        .filter((each) => each.kind === "local")
        .map((each) => each.id);
  const own = isAdmin ? null : await ask(client.from("chapter_assignments").select("unit_id").eq("profile_id", me.id));
  const showsMentors = unit ? unit.kind === "local" : !isAdmin;
  const mentorsOf = () => {
    const request = client.from("peer_mentor_stats").select("*").order("chapter_id").order("peer_mentor_id");
    return unit ? request.eq("chapter_id", unit.id) : request;
  };
  const [now, before, sum, sumBefore, kept, mentors, types, typeRows] = await Promise.all([
    months(year, chapters),
    months(year - 1, chapters),
    until(today, chapters),
    until(lastYear, chapters),
    unit ? summary(unit.id, year) : null,
    showsMentors ? all(mentorsOf) : [],
    unit ? [] : ask(client.from("activity_types").select("id,label")),
    unit
      ? []
      : all(() =>
          client
            .from("coordinator_monthly_stats")
            .select("activity_type_id,activity_count,activity_month")
            .eq("coordinator_id", me.id)
            .gte("activity_month", `${year}-01-01`)
            .lte("activity_month", `${year}-12-31`),
        ),
  ]);
  const names = showsMentors ? await all(() => client.from("profiles").select("id,display_name").order("id")) : [];
  return {
    me,
    year,
    units,
    unit,
    root,
    own,
    chapterStats,
    now,
    before,
    sum,
    sumBefore,
    kept,
    mentors,
    types,
    typeRows,
    names: new Map(names.map((each) => [each.id, each.display_name])),
  };
}

function path({ units, unit, root, me }) {
  if (!unit) return null;
  const above = [];
  for (let each = unit; each; each = units.find((other) => other.id === each.parent_id)) above.unshift(each);
  const shown = me.role === "org_admin" ? above : above.slice(-1);
  const first = me.role === "org_admin" ? null : h("li", null, h("a", { href: "#overview" }, words.below(me.role)));
  if (unit === root && !first) return null;
  return h(
    "nav",
    { "aria-label": words.path },
    h(
      "ol",
      { class: "crumbs" },
      first,
      shown.map((each) =>
        h(
          "li",
          null,
          each === unit
            ? h("span", { "aria-current": "page" }, each.name)
            : h("a", { href: `#overview/${each.id}` }, each.name),
        ),
      ),
    ),
  );
}

/** When the kept figures were computed: those beside them are exact. */
function freshness(kept) {
  if (!kept) return words.noSummary;
  if (!kept.stale) return words.current;
  return words.computed(texts.age((Date.now() - Date.parse(kept.computed_at)) / 1000), kept.refreshing);
}

function figures({ year, sum, sumBefore, kept, unit, mentors }) {
  const active = new Set(
    mentors.filter((row) => row.last_activity_date >= `${year}-01-01`).map((row) => row.peer_mentor_id),
  );
  return [
    [`${words.activities} ${year}`, count(sum.activity_count), words.soFar(count(sumBefore.activity_count), year - 1)],
    [`${words.hours} ${year}`, hours(sum.total_hours), words.soFar(hours(sumBefore.total_hours), year - 1)],
    unit
      ? [words.mentors, kept ? count(kept.payload.active_peer_mentors) : "–", freshness(kept)]
      : [words.mentors, count(active.size), ""],
    unit && [words.contacts, kept ? count(kept.payload.distinct_contacts) : "–", freshness(kept)],
  ].filter(Boolean);
}

/** Shares of a whole, the largest first. @type {(rows: [string, number][]) => any} */
function shares(rows) {
  const most = Math.max(1, ...rows.map(([, number]) => number));
  if (rows.length === 0) return empty(words.noData);
  return h(
    "ul",
    { class: "share figures" },
    rows
      .sort((a, b) => b[1] - a[1])
      .map(([label, number]) =>
        h(
          "li",
          null,
          h("span", null, label),
          h("span", { class: "number" }, count(number)),
          h("meter", { min: 0, max: most, value: number, "aria-label": `${label}: ${number}` }),
        ),
      ),
  );
}

function breakdown({ kept, unit, types, typeRows, year }) {
  if (unit) {
    const categories = Object.entries(kept?.payload.categories ?? {}).map(
      ([code, number]) =>
        /** @type {[string, number]} */ ([code === "uncategorised" ? words.uncategorised : code, number]),
    );
    return card(
      words.categories,
      kept ? shares(categories) : empty(words.noSummary),
      h("p", { class: "fresh" }, `${words.inYear(year)}. ${freshness(kept)}.`),
    );
  }
  const sums = new Map();
  for (const row of typeRows)
    sums.set(row.activity_type_id, (sums.get(row.activity_type_id) ?? 0) + row.activity_count);
  const labels = new Map(types.map((type) => [type.id, type.label]));
  return card(
    words.types,
    shares([...sums].map(([id, number]) => [labels.get(id) ?? words.unknown, number])),
    h("p", { class: "fresh" }, words.followedUp(year)),
  );
}

/** What is right below; for a coordinator their chapters. */
function below({ units, unit, own, chapterStats, year }) {
  const stats = new Map(chapterStats.map((row) => [row.chapter_id, row]));
  const mine = own && new Set(own.map((row) => row.unit_id));
  const shown = unit ? units.filter((each) => each.parent_id === unit.id) : units.filter((each) => mine?.has(each.id));
  if (unit?.kind === "local") return null;
  const rows = shown
    .map((each) => {
      const reached = subtree(units, each.id)
        .map((one) => stats.get(one.id))
        .filter(Boolean);
      const sum = (key) => reached.reduce((total, row) => total + row[key], 0);
      return { ...each, activities: sum("activity_count"), hours: sum("total_hours") };
    })
    .sort((a, b) => a.name.localeCompare(b.name, locale));
  return card(
    unit ? words.below_units : words.chapters,
    h("p", { class: "fresh" }, words.chaptersCaption(year)),
    h(
      "div",
      { class: "figures" },
      table(
        `below-${unit?.id ?? "own"}`,
        words.chaptersCaption(year),
        [
          {
            label: texts.name,
            text: (row) => row.name,
            show: (row) => [
              h("a", { href: `#overview/${row.id}` }, row.name),
              row.closed_on && " ",
              row.closed_on && pill("warn", `${texts.units.closed} ${day(row.closed_on)}`),
            ],
          },
          { label: words.kind, show: (row) => texts.kinds[row.kind] },
          { label: words.activities, show: (row) => count(row.activities), number: true },
          { label: words.hours, show: (row) => hours(row.hours), number: true },
        ],
        rows,
      ),
    ),
  );
}

function people({ mentors, names, units }) {
  if (mentors.length === 0) return null;
  const chapters = new Map(units.map((unit) => [unit.id, unit.name]));
  const name = (row) => names.get(row.peer_mentor_id) ?? words.unknown;
  const rows = [...mentors].sort((a, b) => b.last_activity_date.localeCompare(a.last_activity_date));
  return card(
    words.mentorsTitle,
    h(
      "div",
      { class: "figures" },
      table(
        "mentors",
        words.mentorsTitle,
        [
          { label: words.mentor, show: name, text: name },
          {
            label: texts.chapter,
            show: (row) => chapters.get(row.chapter_id),
            text: (row) => chapters.get(row.chapter_id) ?? "",
          },
          { label: words.activities, show: (row) => count(row.activity_count), number: true },
          { label: words.hours, show: (row) => hours(row.total_hours), number: true },
          { label: words.lastActivity, show: (row) => day(row.last_activity_date), number: true },
        ],
        rows,
      ),
    ),
  );
}

/** @type {import("../main.mjs").Page} */
export const overview = {
  live: true,
  statistics: true,
  load,
  render(data, context) {
    if (data.kept?.refreshing) setTimeout(context.again, AGAIN_MS);
    const title = data.unit?.name ?? data.me.organization.name;
    const where = data.unit && data.unit !== data.root ? texts.kinds[data.unit.kind] : words.below(data.me.role);
    return [
      path(data),
      head(title, `${where}. ${texts.exact(clock(new Date()))}.`),
      kpis(figures(data)),
      h("div", { class: "two" }, card(words.months, bars(data.year, data.now, data.before)), breakdown(data)),
      below(data),
      people(data),
    ].filter(Boolean);
  },
};
