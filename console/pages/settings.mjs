// Settings of the organisation, locked years, and the record of what org admins changed.

import { all, ask, client, rpc } from "../api.mjs";
import { actionForm, card, empty, field, h, head, moment, note, select } from "../dom.mjs";
import { table } from "../parts/table.mjs";
import { texts } from "../texts.mjs";

const words = texts.settings;
const LATEST = 200;

async function load({ me }) {
  const [[settings], years, changes, profiles] = await Promise.all([
    ask(client.from("organization_settings").select("*")),
    ask(client.from("reporting_years").select("year,locked_at").order("year")),
    ask(client.from("organization_changes").select("*").order("id", { ascending: false }).limit(LATEST)),
    all(() => client.from("profiles").select("id,display_name").order("id")),
  ]);
  return {
    me,
    settings,
    years: years.filter((each) => each.locked_at),
    changes,
    names: new Map(profiles.map((each) => [each.id, each.display_name])),
  };
}

const settingsCard = ({ me, settings }, again) => {
  const yesNo = (name, properties = {}) =>
    field(
      words[name],
      select(
        { name, ...properties },
        [
          ["true", texts.yes],
          ["false", texts.no],
        ],
        settings[name],
      ),
    );
  return card(
    words.title,
    actionForm(
      [
        yesNo("statistics_enabled"),
        yesNo("warm_up_enabled"),
        yesNo("two_person_sign_off", { "aria-describedby": "two-person" }),
        h("p", { class: "fresh wide", id: "two-person" }, words.twoPersonNote),
        field(
          words.max_chapter_assignments,
          h("input", {
            name: "max_chapter_assignments",
            type: "number",
            min: 1,
            max: 10000,
            required: true,
            value: settings.max_chapter_assignments,
          }),
        ),
        field(words.time_zone, h("input", { name: "time_zone", required: true, value: settings.time_zone })),
      ],
      texts.save,
      async (values) => {
        await ask(
          client
            .from("organization_settings")
            .update({
              statistics_enabled: values.statistics_enabled === "true",
              warm_up_enabled: values.warm_up_enabled === "true",
              two_person_sign_off: values.two_person_sign_off === "true",
              max_chapter_assignments: Number(values.max_chapter_assignments),
              time_zone: values.time_zone,
            })
            .eq("organization_id", me.organization.id)
            .select("organization_id")
            .single(),
        );
        await again(texts.saved);
      },
    ),
  );
};

function yearsCard({ years }, again) {
  const locked = years.map(({ year, locked_at }) =>
    h(
      "section",
      null,
      h("h3", null, `${year} · ${moment(locked_at)}`),
      actionForm(
        [field(words.reason, h("input", { name: "reason", required: true, maxlength: 500 }))],
        words.unlock,
        async ({ reason }) => {
          await rpc("unlock_reporting_year", { year, reason });
          await again(words.unlockedNow);
        },
      ),
    ),
  );
  const lastYear = new Date().getFullYear() - 1;
  const lock = actionForm(
    [
      field(
        texts.year,
        h("input", { name: "year", type: "number", min: 2000, max: 2099, required: true, value: lastYear }),
      ),
    ],
    words.lock,
    async ({ year }) => {
      await rpc("lock_reporting_year", { year: Number(year) });
      await again(words.lockedNow);
    },
  );
  return card(words.locked, note("", words.lockNote), locked.length > 0 ? locked : empty(words.noLocked), lock);
}

/** Only what is otherwise than before; ids are left to the record. */
function how({ before, after }) {
  const keys = Object.keys({ ...before, ...after }).filter((key) => !/(^|_)id$/.test(key));
  const changed = keys.filter((key) => JSON.stringify(before?.[key]) !== JSON.stringify(after?.[key]));
  const told = (value) => (value === null || value === undefined ? "–" : String(value));
  return changed
    .map((key) =>
      before && after
        ? `${key}: ${told(before[key])} → ${told(after[key])}`
        : `${key}: ${told((after ?? before)[key])}`,
    )
    .join(", ");
}

const changesCard = ({ changes, names }) =>
  card(
    words.changes,
    table(
      "changes",
      words.changesCaption,
      [
        { label: words.when, show: (row) => moment(row.changed_at) },
        {
          label: words.who,
          show: (row) => names.get(row.changed_by) ?? texts.overview.unknown,
          text: (row) => names.get(row.changed_by) ?? "",
        },
        {
          label: words.what,
          show: (row) => `${words.tables[row.table_name]}: ${words.operations[row.operation].toLowerCase()}`,
          text: (row) => words.tables[row.table_name],
        },
        { label: words.how, show: how, text: how },
      ],
      changes,
    ),
  );

/** @type {import("../main.mjs").Page} */
export const settings = {
  load,
  render: (data, { again }) => [
    head(words.title, words.below),
    h("div", { class: "two" }, settingsCard(data, again), yearsCard(data, again)),
    changesCard(data),
  ],
};
