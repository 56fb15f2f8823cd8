// People: who is with the organisation, in which role and chapters; who was invited and has no profile yet; erasure.

import { all, ask, client, rpc } from "../api.mjs";
import { actionForm, card, field, h, head, moment, note, pill, select } from "../dom.mjs";
import { table } from "../parts/table.mjs";
import { texts } from "../texts.mjs";

const words = texts.people;
const roles = Object.entries(texts.roles);

async function load() {
  const [profiles, signIns, assignments, chapters] = await Promise.all([
    all(() =>
      client
        .from("profiles")
        .select("id,display_name,role,is_active,erased_at")
        .is("erased_at", null)
        .order("display_name")
        .order("id"),
    ),
    all(() => client.rpc("get_sign_ins").order("email").order("id")),
    all(() => client.from("chapter_assignments").select("*").order("profile_id").order("unit_id")),
    all(() => client.from("chapters").select("id,name").order("id")),
  ]);
  const names = new Map(chapters.map((each) => [each.id, each.name]));
  const known = new Map(signIns.map((each) => [each.id, each]));
  const assigned = Map.groupBy(assignments, (row) => row.profile_id);
  const people = profiles.map((each) => ({
    ...each,
    email: known.get(each.id)?.email ?? "",
    seen: known.get(each.id)?.last_sign_in_at,
    chapters: (assigned.get(each.id) ?? [])
      .sort((a, b) => b.is_primary - a.is_primary)
      .map((row) => names.get(row.unit_id)),
  }));
  const taken = new Set(profiles.map((each) => each.id));
  return { people, chapters, newcomers: signIns.filter((each) => !taken.has(each.id)) };
}

/** Chapters by name, as the import reads them. */
async function assign(id, names, chapters) {
  const wanted = names
    .split(";")
    .map((name) => name.trim())
    .filter(Boolean)
    .map((name) => {
      const found = chapters.filter((each) => each.name === name);
      if (found.length !== 1) throw new Error(words.unknownChapter(name));
      return found[0].id;
    });
  const now = await ask(client.from("chapter_assignments").select("unit_id,is_primary").eq("profile_id", id));
  const gone = now.filter((row) => !wanted.includes(row.unit_id)).map((row) => row.unit_id);
  const added = wanted.filter((unit) => !now.some((row) => row.unit_id === unit));
  if (gone.length) await ask(client.from("chapter_assignments").delete().eq("profile_id", id).in("unit_id", gone));
  if (added.length)
    await ask(client.from("chapter_assignments").insert(added.map((unit_id) => ({ profile_id: id, unit_id }))));
  if (now.some((row) => row.is_primary && row.unit_id === wanted[0])) return;
  const assigned = (is_primary) => client.from("chapter_assignments").update({ is_primary }).eq("profile_id", id);
  await ask(assigned(false).eq("is_primary", true));
  if (wanted.length) await ask(assigned(true).eq("unit_id", wanted[0]));
}

function personForm(person, { chapters }, again) {
  return actionForm(
    [
      field(texts.name, h("input", { name: "name", required: true, value: person.display_name ?? "" })),
      field(words.role, select({ name: "role" }, roles, person.role ?? "peer_mentor")),
      field(
        words.active,
        select(
          { name: "active" },
          [
            ["yes", texts.yes],
            ["no", texts.no],
          ],
          person.is_active === false ? "no" : "yes",
        ),
      ),
      field(
        words.chaptersHint,
        h("input", { name: "chapters", list: "chapter-names", value: (person.chapters ?? []).join("; ") }),
        { class: "wide" },
      ),
    ],
    texts.save,
    async (values) => {
      await rpc("save_person", {
        id: person.id,
        display_name: values.name,
        role: values.role,
        is_active: values.active === "yes",
      });
      await assign(person.id, values.chapters, chapters);
      await again(texts.saved);
    },
  );
}

/** For good: the name has to be written once more. */
const eraseForm = (person) =>
  h(
    "details",
    { class: "more" },
    h("summary", null, words.erase),
    note("bad", words.eraseNote),
    actionForm(
      [field(words.confirm, h("input", { name: "name", required: true, autocomplete: "off" }))],
      words.erase,
      async ({ name }) => {
        if (name !== person.display_name) throw new Error(words.mismatch);
        await rpc("erase_person", { p_profile_id: person.id });
        location.hash = "#people";
      },
    ),
  );

/** @type {import("../main.mjs").Page} */
export const people = {
  load,
  render(data, { parts, again, me }) {
    const chosen = [...data.people, ...data.newcomers].find((each) => each.id === parts[0]);
    const edit = (row) =>
      h("a", { class: "button small", href: `#people/${row.id}` }, row.display_name ? words.edit : words.add);
    return [
      head(texts.people.title, words.below),
      h(
        "datalist",
        { id: "chapter-names" },
        data.chapters.map((each) => h("option", { value: each.name })),
      ),
      chosen &&
        card(
          words.editing(chosen.display_name ?? chosen.email),
          personForm(chosen, data, again),
          chosen.display_name && chosen.id !== me.id && eraseForm(chosen),
        ),
      data.newcomers.length > 0 &&
        card(
          words.newcomers,
          note("warn", words.newcomersNote),
          table(
            "newcomers",
            words.newcomers,
            [
              { label: texts.email, show: (row) => row.email, text: (row) => row.email },
              { label: "", show: edit },
            ],
            data.newcomers,
          ),
        ),
      card(
        words.caption,
        table(
          "people",
          words.caption,
          [
            { label: texts.name, show: (row) => row.display_name, text: (row) => row.display_name },
            { label: texts.email, show: (row) => row.email, text: (row) => row.email },
            { label: words.role, show: (row) => texts.roles[row.role], text: (row) => texts.roles[row.role] },
            { label: words.chapters, show: (row) => row.chapters.join(", "), text: (row) => row.chapters.join(" ") },
            { label: words.lastSignIn, show: (row) => (row.seen ? moment(row.seen) : words.never) },
            {
              label: "",
              show: (row) => [!row.is_active && pill("warn", `${words.active}: ${texts.no}`), " ", edit(row)],
            },
          ],
          data.people,
        ),
      ),
    ].filter(Boolean);
  },
};
