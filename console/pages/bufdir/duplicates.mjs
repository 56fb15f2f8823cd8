// Possible duplicates of a year: the pairs, and what becomes of each.

import { all, ask, client } from "../../api.mjs";
import { actionButton, card, day, h, note } from "../../dom.mjs";
import { table } from "../../parts/table.mjs";
import { texts } from "../../texts.mjs";

const words = texts.bufdir;

/** The pairs, each with both activities, in the words of whoever decides. */
export async function loadDuplicates(year) {
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

export function duplicates(found, again) {
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
