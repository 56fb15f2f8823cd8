// Types of activity, their Bufdir categories by version, thresholds, and what counts.

import { all, ask, client } from "../api.mjs";
import { actionButton, actionForm, card, count, day, empty, field, h, head, isoDay, note, select } from "../dom.mjs";
import { table } from "../parts/table.mjs";
import { texts } from "../texts.mjs";

const words = texts.rules;

async function load() {
  const [types, mappings, versions, thresholds, rules] = await Promise.all([
    ask(client.from("activity_types").select("id,code,label").order("label")),
    all(() => client.from("bufdir_category_mappings").select("*").order("mapping_version").order("activity_type_id")),
    ask(client.from("bufdir_mapping_versions").select("*").order("mapping_version")),
    ask(
      client
        .from("bufdir_thresholds")
        .select("*")
        .order("valid_from_year", { ascending: false })
        .order("bufdir_category_code"),
    ),
    ask(client.from("counting_rules").select("*").order("valid_from", { ascending: false })),
  ]);
  const year = new Date().getFullYear();
  const inForce = versions.filter((each) => each.valid_from_year <= year).at(-1)?.mapping_version ?? 0;
  const newest = Math.max(
    0,
    ...mappings.map((each) => each.mapping_version),
    ...versions.map((each) => each.mapping_version),
  );
  const published = new Set(versions.map((each) => each.mapping_version));
  // one that was begun and not published is gone on with
  const next = newest > 0 && !published.has(newest) ? newest : newest + 1;
  const of = (version) =>
    new Map(
      mappings
        .filter((each) => each.mapping_version === version)
        .map((each) => [each.activity_type_id, each.bufdir_category_code]),
    );
  return { types, year, next, thresholds, rules, now: of(inForce), begun: of(next) };
}

const typesCard = ({ types, now }, again) =>
  card(
    words.types,
    table(
      "types",
      words.types,
      [
        { label: words.label, show: (row) => row.label, text: (row) => row.label },
        { label: words.code, show: (row) => h("code", null, row.code) },
        { label: words.category, show: (row) => now.get(row.id) ?? words.noCategory },
      ],
      types,
    ),
    h(
      "details",
      { class: "more" },
      h("summary", null, words.addType),
      actionForm(
        [
          field(words.label, h("input", { name: "label", required: true })),
          field(words.code, h("input", { name: "code", required: true, pattern: "[a-z][a-z0-9_]*" })),
        ],
        words.addType,
        async (values) => {
          await ask(client.from("activity_types").insert(values));
          await again(texts.saved);
        },
      ),
    ),
  );

/** A version is written whole, then published; later changes are a version of their own. */
const mappingCard = ({ types, now, begun, next, year }, again) =>
  card(
    words.mapping,
    note("", words.mappingNote(next)),
    actionForm(
      [
        ...types.map((type) =>
          field(
            type.label,
            h("input", {
              name: type.id,
              value: begun.get(type.id) ?? now.get(type.id) ?? "",
              pattern: "[A-Z0-9][A-Z0-9_.\\-]*",
            }),
          ),
        ),
        field(
          words.fromYear,
          h("input", { name: "year", type: "number", min: year - 1, max: 2099, required: true, value: year + 1 }),
        ),
      ],
      words.publish,
      async (values) => {
        await ask(client.from("bufdir_category_mappings").delete().eq("mapping_version", next));
        await ask(
          client.from("bufdir_category_mappings").insert(
            types
              .filter((type) => values[type.id])
              .map((type) => ({
                mapping_version: next,
                activity_type_id: type.id,
                bufdir_category_code: values[type.id],
              })),
          ),
        );
        await ask(
          client
            .from("bufdir_mapping_versions")
            .insert({ mapping_version: next, valid_from_year: Number(values.year) }),
        );
        await again(words.published);
      },
    ),
  );

const thresholdsCard = ({ thresholds, year }, again) =>
  card(
    words.thresholds,
    table(
      "thresholds",
      words.thresholds,
      [
        { label: texts.bufdir.category, show: (row) => row.bufdir_category_code },
        { label: words.fromYear, show: (row) => row.valid_from_year, number: true },
        { label: words.minimum, show: (row) => count(row.minimum_activity_count), number: true },
      ],
      thresholds,
    ),
    actionForm(
      [
        field(texts.bufdir.category, h("input", { name: "bufdir_category_code", required: true })),
        field(
          words.fromYear,
          h("input", { name: "valid_from_year", type: "number", min: 2000, max: 2099, required: true, value: year }),
        ),
        field(words.minimum, h("input", { name: "minimum_activity_count", type: "number", min: 0, required: true })),
      ],
      texts.save,
      async (values) => {
        const key = {
          bufdir_category_code: values.bufdir_category_code,
          valid_from_year: Number(values.valid_from_year),
        };
        const minimum_activity_count = Number(values.minimum_activity_count);
        const changed = await ask(
          client.from("bufdir_thresholds").update({ minimum_activity_count }).match(key).select("valid_from_year"),
        );
        if (changed.length === 0)
          await ask(client.from("bufdir_thresholds").insert({ ...key, minimum_activity_count }));
        await again(texts.saved);
      },
    ),
  );

function rulesCard({ rules, types }, again) {
  const labels = new Map(types.map((type) => [type.id, type.label]));
  const remove = (row) =>
    actionButton(
      texts.remove,
      async () => {
        await ask(
          client
            .from("counting_rules")
            .delete()
            .match({ activity_type_id: row.activity_type_id, valid_from: row.valid_from })
            .select("valid_from")
            .single(),
        );
        await again(texts.saved);
      },
      { class: "small" },
    );
  const list =
    rules.length === 0
      ? empty(words.none)
      : table(
          "rules",
          words.rulesTitle,
          [
            { label: texts.type, show: (row) => labels.get(row.activity_type_id) },
            { label: words.from, show: (row) => day(row.valid_from) },
            { label: words.counts, show: (row) => (row.counts ? texts.yes : texts.no) },
            { label: words.minMinutes, show: (row) => row.min_duration_minutes ?? "–", number: true },
            { label: words.minPeople, show: (row) => row.min_participants ?? "–", number: true },
            { label: words.source, show: (row) => row.source },
            { label: "", show: remove },
          ],
          rules,
        );
  const number = (text) => (text === "" ? null : Number(text));
  return card(
    words.rulesTitle,
    note("", words.rulesNote),
    list,
    h(
      "details",
      { class: "more" },
      h("summary", null, words.addRule),
      actionForm(
        [
          field(
            texts.type,
            select(
              { name: "activity_type_id" },
              types.map((type) => [type.id, type.label]),
            ),
          ),
          field(
            words.from,
            h("input", { name: "valid_from", type: "date", required: true, value: isoDay(new Date()) }),
          ),
          field(
            words.counts,
            select({ name: "counts" }, [
              ["true", texts.yes],
              ["false", texts.no],
            ]),
          ),
          field(words.minMinutes, h("input", { name: "min_duration_minutes", type: "number", min: 1, max: 1440 })),
          field(words.minPeople, h("input", { name: "min_participants", type: "number", min: 1, max: 10000 })),
          field(words.source, h("input", { name: "source", required: true })),
        ],
        texts.save,
        async (values) => {
          await ask(
            client.from("counting_rules").insert({
              ...values,
              counts: values.counts === "true",
              min_duration_minutes: number(values.min_duration_minutes),
              min_participants: number(values.min_participants),
            }),
          );
          await again(texts.saved);
        },
      ),
    ),
  );
}

/** @type {import("../main.mjs").Page} */
export const rules = {
  load,
  render: (data, { again }) => [
    head(words.title, words.below),
    h("div", { class: "two" }, typesCard(data, again), thresholdsCard(data, again)),
    rulesCard(data, again),
    mappingCard(data, again),
  ],
};
