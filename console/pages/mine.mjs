// A peer mentor's own numbers: from their own activities, which is what they may read.

import { all, ask, client } from "../api.mjs";
import { card, clock, count, day, head, hours, kpis, pill } from "../dom.mjs";
import { bars } from "../parts/bars.mjs";
import { table } from "../parts/table.mjs";
import { texts } from "../texts.mjs";

const COLUMNS =
  "id,activity_date,duration_minutes,participant_count,status,is_counted,not_counted_because,unit_id,activity_type_id";

/** Months of a year, as `get_activity_series` gives them. @type {(activities: any[], year: number) => any[]} */
export function byMonth(activities, year) {
  const months = texts.months.map(() => ({ activity_count: 0, minutes: 0, total_hours: 0 }));
  for (const { activity_date, duration_minutes } of activities) {
    if (Number(activity_date.slice(0, 4)) !== year) continue;
    const month = months[Number(activity_date.slice(5, 7)) - 1];
    month.activity_count += 1;
    month.minutes += duration_minutes;
    month.total_hours = month.minutes / 60;
  }
  return months;
}

export const reason = (activity) => texts.mine.reasons[activity.not_counted_because] ?? activity.not_counted_because;

export async function loadMine(me) {
  const [activities, types, chapters, own] = await Promise.all([
    all(() =>
      client
        .from("activities")
        .select(COLUMNS)
        .eq("peer_mentor_id", me.id)
        .order("activity_date", { ascending: false })
        .order("id"),
    ),
    ask(client.from("activity_types").select("id,label")),
    all(() => client.from("chapters").select("id,name").order("id")),
    ask(
      client
        .from("peer_mentor_stats")
        .select("activity_count,total_hours,last_activity_date")
        .eq("peer_mentor_id", me.id),
    ),
  ]);
  return {
    activities,
    types: new Map(types.map((each) => [each.id, each.label])),
    chapters: new Map(chapters.map((each) => [each.id, each.name])),
    total: own.reduce((sum, row) => sum + row.activity_count, 0),
    hours: own.reduce((sum, row) => sum + row.total_hours, 0),
    last: own
      .map((row) => row.last_activity_date)
      .sort()
      .at(-1),
  };
}

/** @type {(data: any) => [string, string, string][]} */
export function myFigures(data) {
  const now = new Date();
  const counted = data.activities.filter((each) => each.is_counted);
  const months = byMonth(counted, now.getFullYear());
  const before = counted.filter(
    (each) =>
      each.activity_date.slice(0, 4) === String(now.getFullYear() - 1) &&
      each.activity_date.slice(5) <= now.toISOString().slice(5, 10),
  ).length;
  const sum = (key) => months.reduce((total, month) => total + month[key], 0);
  return [
    [
      `${texts.activities} ${now.getFullYear()}`,
      count(sum("activity_count")),
      texts.overview.soFar(count(before), now.getFullYear() - 1),
    ],
    [`${texts.hours} ${now.getFullYear()}`, hours(sum("total_hours")), ""],
    [texts.mine.total, count(data.total), `${hours(data.hours)} ${texts.hours.toLowerCase()}`],
    [texts.mine.last, day(data.last), ""],
  ];
}

/** @type {import("../main.mjs").Page} */
export const mine = {
  live: true,
  statistics: true,
  load: ({ me }) => loadMine(me),
  render(data) {
    const year = new Date().getFullYear();
    const counted = data.activities.filter((each) => each.is_counted);
    return [
      head(texts.mine.title, `${texts.mine.below}. ${texts.exact(clock(new Date()))}.`),
      kpis(myFigures(data)),
      card(texts.overview.months, bars(year, byMonth(counted, year), byMonth(counted, year - 1))),
      card(
        texts.mine.list,
        table(
          "mine",
          texts.mine.below,
          [
            { label: texts.date, show: (row) => day(row.activity_date) },
            {
              label: texts.type,
              show: (row) => data.types.get(row.activity_type_id),
              text: (row) => data.types.get(row.activity_type_id),
            },
            {
              label: texts.chapter,
              show: (row) => data.chapters.get(row.unit_id),
              text: (row) => data.chapters.get(row.unit_id),
            },
            { label: texts.mine.minutes, show: (row) => count(row.duration_minutes), number: true },
            { label: texts.mine.participants, show: (row) => count(row.participant_count), number: true },
            {
              label: texts.mine.counts,
              show: (row) =>
                row.is_counted ? pill("good", texts.mine.counts) : pill("warn", texts.mine.not(reason(row))),
            },
          ],
          data.activities,
        ),
      ),
    ];
  },
};
