// Registering an activity: for oneself, or on behalf of a peer mentor one follows up; the figures move at once.

import { all, ask, client, rpc } from "../api.mjs";
import { actionForm, card, count, field, h, head, hours, isoDay, kpis, note, select } from "../dom.mjs";
import { texts } from "../texts.mjs";
import { loadMine, myFigures, reason } from "./mine.mjs";

const words = texts.register;
/** @type {Map<string, string>} */
let shownBefore = new Map();

/** @type {(me: any) => Promise<any[]>} */
async function figuresOf(me) {
  if (me.role === "peer_mentor") return myFigures(await loadMine(me));
  const year = new Date().getFullYear();
  const [sum] = await rpc("get_activity_series", {
    p_from: `${year}-01-01`,
    p_to: `${year + 1}-01-01`,
    p_bucket: "year",
  });
  return [
    [`${texts.activities} ${year}`, count(sum?.activity_count ?? 0), texts.overview.below(me.role)],
    [`${texts.hours} ${year}`, hours(sum?.total_hours ?? 0), ""],
  ];
}

async function load({ me }) {
  const [figures, types, chapters, assigned, profiles] = await Promise.all([
    figuresOf(me),
    ask(client.from("activity_types").select("id,label").order("label")),
    all(() => client.from("chapters").select("id,name,closed_on").order("name").order("id")),
    all(() =>
      client.from("chapter_assignments").select("profile_id,unit_id,is_primary").order("profile_id").order("unit_id"),
    ),
    all(() => client.from("profiles").select("id,display_name,role,is_active").order("display_name").order("id")),
  ]);
  const own = new Set(assigned.filter((row) => row.profile_id === me.id).map((row) => row.unit_id));
  const today = isoDay(new Date());
  return {
    figures,
    types,
    own,
    assigned,
    profiles,
    chapters: chapters.filter((each) => (me.role === "org_admin" || own.has(each.id)) && !(each.closed_on <= today)),
  };
}

/** Oneself where one works in the chapter, and for who follows it up its active peer mentors. */
function choices(data, me, chapter) {
  const there = new Set(data.assigned.filter((row) => row.unit_id === chapter).map((row) => row.profile_id));
  const others =
    me.role === "peer_mentor"
      ? []
      : data.profiles.filter(
          (each) => each.id !== me.id && each.is_active && each.role === "peer_mentor" && there.has(each.id),
        );
  return [
    ...(data.own.has(chapter) ? [[me.id, words.myself]] : []),
    ...others.map((each) => [each.id, each.display_name]),
  ];
}

/** Today's is now, so that it is not yet to come; another day's is noon. */
const momentOf = (date) => (date === isoDay(new Date()) ? new Date() : new Date(`${date}T12:00:00`));

/** @type {(values: any, me: any, id: string) => Promise<any>} */
const insert = async (values, me, id) =>
  ask(
    client
      .from("activities")
      .insert({
        id,
        unit_id: values.chapter,
        peer_mentor_id: values.person,
        is_proxy_registered: values.person !== me.id,
        activity_type_id: values.type,
        activity_date: values.date,
        occurred_at: momentOf(values.date).toISOString(),
        duration_minutes: Number(values.minutes),
        participant_count: Number(values.participants),
        summary: values.summary || null,
      })
      .select("is_counted,not_counted_because")
      .single(),
  );

function form(data, { me }) {
  let id = crypto.randomUUID(); // kept until it is saved: a second try is no second activity
  const people = h("select", { name: "person", required: true });
  const offer = (chapter) => {
    const offered = choices(data, me, chapter);
    if (offered.length === 0) offered.push(["", words.noPeople]);
    people.replaceChildren(...offered.map(([value, label]) => h("option", { value }, label)));
  };
  const chapter = select(
    { name: "chapter", required: true, onchange: (event) => offer(event.target.value) },
    data.chapters.map((each) => [each.id, each.name]),
    data.assigned.find((row) => row.profile_id === me.id && row.is_primary)?.unit_id,
  );
  offer(chapter.value);
  return actionForm(
    [
      field(
        texts.type,
        select(
          { name: "type", required: true },
          data.types.map((type) => [type.id, type.label]),
        ),
      ),
      field(texts.chapter, chapter),
      field(words.person, people),
      field(texts.date, h("input", { name: "date", type: "date", required: true, value: isoDay(new Date()) })),
      field(
        words.minutes,
        h("input", { name: "minutes", type: "number", min: 1, max: 1440, required: true, value: 60 }),
      ),
      field(
        words.participants,
        h("input", { name: "participants", type: "number", min: 0, max: 10000, required: true, value: 1 }),
      ),
      field(words.summary, h("input", { name: "summary", maxlength: 4000 }), { class: "wide" }),
    ],
    words.button,
    async (values) => {
      const made = await insert(values, me, id).catch((error) => {
        if (error.code === "23505") return { is_counted: true }; // it had arrived the first time
        throw error;
      });
      id = crypto.randomUUID();
      const [sum] = await moved(me);
      if (!made.is_counted) return words.notCounted(reason(made));
      return words.done(sum);
    },
  );

  /** The figures above the form, anew, with what has changed marked. */
  async function moved(person) {
    const figures = await figuresOf(person);
    const changed = new Set(
      figures.filter(([label, value]) => shownBefore.get(label) !== value).map(([label]) => label),
    );
    document.querySelector(".kpis")?.replaceWith(kpis(figures, changed));
    remember(figures);
    return figures.map(([, value]) => value);
  }
}

const remember = (figures) => {
  shownBefore = new Map(figures.map(([label, value]) => [label, value]));
};

/** @type {import("../main.mjs").Page} */
export const register = {
  statistics: true,
  load,
  render(data, context) {
    remember(data.figures);
    return [
      head(words.title, words.below),
      kpis(data.figures),
      card(words.title, data.chapters.length === 0 ? note("warn", words.noChapter) : form(data, context)),
    ];
  },
};
