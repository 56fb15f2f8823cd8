// Possible duplicates of a year: the pairs, and what becomes of each.

import { ask, client } from "../../api.mjs";
import { actionButton, card, count, day, h, note } from "../../dom.mjs";
import { table } from "../../parts/table.mjs";
import { texts } from "../../texts.mjs";

const words = texts.bufdir;

const SHOWN = 50;
const iso = (year, month) => `${month > 12 ? year + 1 : year}-${String(month > 12 ? 1 : month).padStart(2, "0")}-01`;

/** The first pairs of a year, month by month: where there are many activities, a month is quick and a year is not. */
async function firstPairs(year, tell) {
  const pairs = [];
  for (let month = 1; month <= 12 && pairs.length <= SHOWN; month++) {
    tell(month);
    const [from, to] = [iso(year, month), iso(year, month + 1)];
    const days = (request, column) => request.gte(column, from).lt(column, to);
    const request = client.from("possible_duplicates").select("*");
    const ordered = days(days(request, "activity_date"), "other_date")
      .order("activity_date")
      .order("activity_id")
      .order("other_id");
    pairs.push(...(await ask(ordered.limit(SHOWN + 1))));
  }
  return pairs;
}

/**
 * The pairs, each with both activities, in the words of whoever decides; `tell` hears which month is looked through.
 * @type {(year: number, tell: (month: number) => void) => Promise<any>}
 */
export async function loadDuplicates(year, tell) {
  const pairs = await firstPairs(year, tell);
  const shown = pairs.slice(0, SHOWN);
  const ids = [...new Set(shown.flatMap((pair) => [pair.activity_id, pair.other_id]))];
  const units = [...new Set(shown.map((pair) => pair.chapter_id))];
  if (ids.length === 0) return { number: "0", shown: [] };
  const [activities, types, chapters] = await Promise.all([
    ask(client.from("activities").select("id,peer_mentor_id,activity_type_id,duration_minutes").in("id", ids)),
    ask(client.from("activity_types").select("id,label")),
    ask(client.from("chapters").select("id,name").in("id", units)),
  ]);
  const mentors = [...new Set(activities.map((each) => each.peer_mentor_id))];
  const people = await ask(client.from("profiles").select("id,display_name").in("id", mentors));
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
    number: pairs.length > SHOWN ? words.moreThan(SHOWN) : count(pairs.length),
    shown: shown.map((pair) => ({
      ...pair,
      chapter: places.get(pair.chapter_id),
      one: told.get(pair.activity_id),
      other: told.get(pair.other_id),
    })),
  };
}

export function duplicates(found, again) {
  if (found.shown.length === 0) return card(words.duplicates, note("good", words.noDuplicates));
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
    `${words.duplicates} (${found.number})`,
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
