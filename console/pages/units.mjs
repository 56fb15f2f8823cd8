// The tree of units: make, rename, move, close.

import { all, ask, client } from "../api.mjs";
import { actionButton, actionForm, card, day, field, h, head, pill, select } from "../dom.mjs";
import { table } from "../parts/table.mjs";
import { texts } from "../texts.mjs";

const words = texts.units;
const ORDER = ["national", "region", "district", "local"];

const load = async () => {
  const units = await all(() =>
    client.from("organization_units").select("id,parent_id,kind,name,closed_on").order("name").order("id"),
  );
  return { units: units.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind)) };
};

function unitForm(unit, { units }, again) {
  const parents = units
    .filter((each) => each.kind !== "local" && each.id !== unit.id)
    .map((each) => [each.id, each.name]);
  return actionForm(
    [
      field(texts.name, h("input", { name: "name", required: true, value: unit.name ?? "" })),
      !unit.id &&
        field(
          words.kind,
          select(
            { name: "kind" },
            ORDER.slice(1).map((kind) => [kind, texts.kinds[kind]]),
            "local",
          ),
        ),
      unit.kind !== "national" && field(words.parent, select({ name: "parent_id" }, parents, unit.parent_id)),
      unit.kind !== "national" &&
        field(words.closed, h("input", { name: "closed_on", type: "date", value: unit.closed_on ?? "" })),
    ],
    unit.id ? texts.save : words.addButton,
    async (values) => {
      const row = { ...values, ...("closed_on" in values && { closed_on: values.closed_on || null }) };
      const units_ = client.from("organization_units");
      await ask(unit.id ? units_.update(row).eq("id", unit.id).select("id").single() : units_.insert(row));
      await again(texts.saved);
    },
  );
}

const remove = (unit) =>
  actionButton(texts.remove, async () => {
    await ask(client.from("organization_units").delete().eq("id", unit.id).select("id").single());
    location.hash = "#units";
  });

/** @type {import("../main.mjs").Page} */
export const units = {
  load,
  render(data, { parts, again }) {
    const chosen = data.units.find((each) => each.id === parts[0]);
    const names = new Map(data.units.map((each) => [each.id, each.name]));
    return [
      head(words.title, words.below),
      chosen
        ? card(words.editing(chosen.name), unitForm(chosen, data, again), chosen.kind !== "national" && remove(chosen))
        : card(words.add, unitForm({ parent_id: data.units[0]?.id }, data, again)),
      card(
        words.caption,
        table(
          "units",
          words.caption,
          [
            { label: texts.name, show: (row) => row.name, text: (row) => row.name },
            { label: words.kind, show: (row) => texts.kinds[row.kind], text: (row) => texts.kinds[row.kind] },
            {
              label: words.parent,
              show: (row) => names.get(row.parent_id) ?? "–",
              text: (row) => names.get(row.parent_id) ?? "",
            },
            { label: words.closed, show: (row) => (row.closed_on ? pill("warn", day(row.closed_on)) : "–") },
            { label: "", show: (row) => h("a", { class: "button small", href: `#units/${row.id}` }, words.edit) },
          ],
          data.units,
        ),
      ),
    ];
  },
};
