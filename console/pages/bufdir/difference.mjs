// Why a version says something else than the activities do now: what was done, and where, with effects that add up.

import { rpc } from "../../api.mjs";
import { h, hours, note } from "../../dom.mjs";
import { table } from "../../parts/table.mjs";
import { ofError } from "../../refusals.mjs";
import { texts } from "../../texts.mjs";

const words = texts.bufdir;

/** Asked for when it is opened. */
export function difference(version) {
  const told = h("div", { class: "two" }, texts.working);
  const open = async (event) => {
    if (!event.target.open) return;
    try {
      told.replaceChildren(...explain(await rpc("explain_report_difference", { version: version.id })));
    } catch (error) {
      told.replaceChildren(h("p", { class: "error" }, ofError(error)));
    }
  };
  return h(
    "details",
    { class: "more", "data-difference": version.version, ontoggle: open },
    h("summary", null, words.explain),
    told,
  );
}

const signed = (number) => `${number > 0 ? "+" : ""}${hours(number)}`;

const effects = (id, label, name, rows) =>
  table(
    `difference-${id}`,
    label,
    [
      { label, show: name, text: name },
      { label: texts.activities, show: (row) => signed(row.activity_count), number: true },
      { label: texts.hours, show: (row) => signed(row.total_hours), number: true },
    ],
    rows,
  );

/** What was done, with its sum; then the same by chapter and by person. @type {(answer: any) => any[]} */
function explain({ difference: sum, unrecorded, kinds, chapters, people }) {
  if (kinds.length === 0 && !unrecorded.activity_count) return [note("good", words.noDifference)];
  const done = kinds.map((each) => ({ ...each, name: words.changed[each.kind](each.activities) }));
  if (unrecorded.activity_count || unrecorded.total_hours) done.push({ ...unrecorded, name: words.unrecorded });
  const all = { ...sum, name: words.sum };
  return [
    effects("kinds", words.what, (row) => row.name, [...done, all]),
    effects("chapters", texts.chapter, (row) => row.chapter_name, chapters),
    effects("people", texts.overview.mentor, (row) => row.peer_mentor_name, people),
  ];
}
