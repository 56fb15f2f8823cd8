// What each Dart block of docs/howto/flutter.md asks for, by its name there, with supabase-js on the local stack.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { FunctionsClient } from "@supabase/functions-js";
import { createClient } from "@supabase/supabase-js";

const { SUPABASE_URL: url, SUPABASE_PUBLISHABLE_KEY: key, FUNCTIONS_URL: elsewhere } = /** @type {any} */ (process.env);
const options = { auth: { persistSession: false, autoRefreshToken: false } };
const publishableKey = key;
/** @type {Record<string, any>} */
const known = {};
const made = [];

/** Give the data of an answer that must be one. */
async function right(answer) {
  const { data, error, status } = await answer;
  assert.equal(error, null, `${status} ${JSON.stringify(error)}`);
  return data;
}

async function signIn(email) {
  const supabase = createClient(url, key, options);
  await right(supabase.auth.signInWithPassword({ email, password: "password" }));
  return supabase;
}

function newId() {
  const id = randomUUID();
  made.push(id);
  return id;
}

const DAY = 24 * 60 * 60 * 1000;
let days = 400; // each on a day of its own, so that no two are taken for one

/** What a form sends: the day that was picked, and a moment of it. */
function row() {
  const when = new Date(Date.now() - days * DAY);
  days += 2;
  return {
    id: newId(),
    unit_id: known.chapterId,
    activity_type_id: known.typeId,
    activity_date: when.toISOString().slice(0, 10),
    occurred_at: when.toISOString(),
    duration_minutes: 45,
  };
}
const total = async (supabase) => {
  const rows = await right(supabase.from("peer_mentor_stats").select("activity_count").eq("peer_mentor_id", known.me));
  return rows.reduce((sum, { activity_count }) => sum + activity_count, 0);
};

const calls = {
  async "sign-in"() {
    known.ola = await signIn("ola@nhf.example");
    known.me = (await right(known.ola.auth.getUser())).user.id;
    known.kari = await signIn("kari@nhf.example");
  },

  async choices({ ola: supabase, me }) {
    const chapters = await right(
      supabase
        .from("chapter_assignments")
        .select("is_primary, organization_units(id, name, closed_on)")
        .eq("profile_id", me)
        .order("is_primary", { ascending: false }),
    );
    const types = await right(supabase.from("activity_types").select("id, code, label").order("label"));
    known.chapterId = chapters[0].organization_units.id;
    known.typeId = types.find(({ code }) => code === "conversation").id;
    known.group = types.find(({ code }) => code === "group_meeting").id;
    assert.ok(chapters[0].organization_units.name && types[0].label);
  },

  async register({ ola: supabase }) {
    known.before = await total(supabase);
    const sent = { ...row(), participant_count: 2, summary: "We talked about work." };
    const insert = supabase.from("activities").insert(sent);
    const registered = await right(insert.select("is_counted, not_counted_because").single());
    assert.deepEqual(registered, { is_counted: true, not_counted_because: null });
    known.id = sent.id;
    const names = ["id", "unit_id", "activity_type_id", "activity_date", "occurred_at", "duration_minutes"];
    assert.ok(names.every((name) => name in sent));
    const reasons = [
      [{ status: "draft" }, "draft"],
      [{ activity_type_id: known.group, participant_count: 5, duration_minutes: 10 }, "too_short"],
      [{ activity_type_id: known.group, participant_count: 2, duration_minutes: 60 }, "too_few_participants"],
    ];
    for (const [change, reason] of reasons) {
      const kept = supabase.from("activities").insert({ ...row(), .../** @type {object} */ (change) });
      assert.equal((await right(kept.select("not_counted_because").single())).not_counted_because, reason);
    }
  },

  async "own-numbers"({ ola: supabase, me }) {
    const mine = await right(
      supabase
        .from("peer_mentor_stats")
        .select("activity_count, total_hours, last_activity_date, chapters(name)")
        .eq("peer_mentor_id", me),
    );
    const sum = mine.reduce((most, { activity_count }) => most + activity_count, 0);
    assert.equal(sum, known.before + 1);
    assert.ok(mine.every((each) => each.chapters.name));
  },

  async proxy({ kari: supabase, me }) {
    const { id, unit_id, activity_type_id, activity_date, occurred_at } = row();
    const sent = { unit_id, activity_type_id, activity_date, occurred_at, duration_minutes: 60 };
    await right(supabase.from("activities").insert({ id, ...sent, is_proxy_registered: true, peer_mentor_id: me }));
    // by oneself, nobody registers for another
    const other = (await supabase.auth.getUser()).data.user?.id;
    const refused = await known.ola
      .from("activities")
      .insert({ ...sent, is_proxy_registered: true, peer_mentor_id: other });
    assert.equal(refused.error.code, "42501");
  },

  async draft({ ola: supabase }) {
    const before = await total(supabase);
    const { id, unit_id, activity_type_id, occurred_at } = row();
    const sent = { id, unit_id, activity_type_id, occurred_at, duration_minutes: 60 };
    await right(supabase.from("activities").insert({ ...sent, status: "draft" }));
    assert.equal(await total(supabase), before);
    await right(supabase.from("activities").update({ status: "registered", duration_minutes: 50 }).eq("id", id));
    assert.equal(await total(supabase), before + 1);
  },

  async expense({ ola: supabase, id }) {
    await right(supabase.from("expense_claims").insert({ activity_id: id, amount_nok: 125.5 }));
    // what has expenses stays, and can be withdrawn otherwise
    const kept = await supabase.from("activities").delete().eq("id", id);
    assert.deepEqual([kept.status, kept.error?.code], [409, "23503"]);
    for (const status of ["draft", "registered"]) {
      assert.equal((await right(supabase.from("activities").update({ status }).eq("id", id).select())).length, 1);
    }
    // and another's is not found, which is no error
    const other = await signIn("arne@nhf.example");
    assert.deepEqual(await right(other.from("activities").update({ status: "draft" }).eq("id", id).select()), []);
    for (const amount_nok of [0, 1000000.01]) {
      const refused = await supabase.from("expense_claims").insert({ activity_id: id, amount_nok });
      assert.deepEqual([refused.status, refused.error?.code], [400, "23514"]);
      assert.ok(refused.error.message.includes("expense_claims_amount_nok_check"));
    }
  },

  async decide({ kari: supabase }) {
    const open = await right(
      supabase
        .from("expense_claims")
        .select("id, amount_nok, activities(occurred_at, profiles!activities_peer_mentor_fkey(display_name))")
        .eq("status", "pending"),
    );
    const ours = open.find((claim) => claim.amount_nok === 125.5);
    assert.ok(ours.activities.profiles.display_name);
    const decided = supabase.from("expense_claims").update({ status: "approved" }).eq("id", ours.id).select();
    assert.equal((await right(decided)).length, 1);
  },

  async several({ ola: supabase }) {
    const rows = () => {
      const { unit_id, activity_type_id, occurred_at } = row();
      const same = { unit_id, activity_type_id, occurred_at, duration_minutes: 30 };
      return [
        { id: newId(), ...same },
        { id: newId(), ...same, participant_count: 4 },
      ];
    };
    const defaultToNull = false;
    await right(supabase.from("activities").insert(rows(), { defaultToNull }));
    const refused = await supabase.from("activities").insert(rows());
    assert.equal(refused.error?.code, "23502");
  },

  async duplicates({ ola, kari: supabase }) {
    const first = row();
    const second = { ...first, id: newId() };
    await right(ola.from("activities").insert(first));
    await right(ola.from("activities").insert(second));
    const pairs = await right(
      supabase.from("possible_duplicates").select("activity_id, other_id, reason, activity_date, chapter_id"),
    );
    const pair = pairs.find(({ activity_id, other_id }) => activity_id === second.id && other_id === first.id);
    assert.equal(pair.reason, "same_peer_mentor");
    const before = await total(ola);
    const resolved = supabase.from("activities").update({ duplicate_of: pair.other_id }).eq("id", pair.activity_id);
    assert.equal((await right(resolved.select("not_counted_because").single())).not_counted_because, "duplicate");
    assert.equal(await total(ola), before - 1);
  },

  async again({ ola: supabase }) {
    const kept = row();
    const before = await total(supabase);
    for (const _ of [1, 2, 3]) {
      await right(supabase.from("activities").upsert(kept, { onConflict: "id", ignoreDuplicates: true }));
    }
    assert.equal(await total(supabase), before + 1);
    const repeated = await supabase.from("activities").insert(kept);
    assert.deepEqual([repeated.status, repeated.error.code], [409, "23505"]);
  },

  async errors({ ola: supabase, kari }) {
    const other = (await right(kari.from("chapters").select("id").eq("name", "Bergen")))[0].id;
    const somebody = randomUUID();
    const tomorrow = new Date(Date.now() + 2 * DAY).toISOString();
    const full = { ...row(), duration_minutes: 24 * 60 };
    await right(supabase.from("activities").insert(full));
    const fullDay = { occurred_at: full.occurred_at, activity_date: full.activity_date, duration_minutes: 1 };
    /** @type {[object, number, string, string][]} */
    const cases = [
      [{ duration_minutes: 0 }, 400, "23514", "activities_duration_minutes_check"],
      [{ participant_count: -1 }, 400, "23514", "activities_participant_count_check"],
      [{ is_proxy_registered: true }, 400, "23514", "activities_proxy_is_named"],
      [{ unit_id: other }, 403, "42501", ""],
      [fullDay, 400, "23514", "more than 24 hours of one person on one day"],
      [
        { occurred_at: tomorrow, activity_date: tomorrow.slice(0, 10) },
        400,
        "23514",
        "what has not taken place yet can only be a draft",
      ],
      [{ activity_date: "2020-01-01" }, 400, "23514", "activities_date_fits_moment"],
      [{ activity_type_id: somebody }, 409, "23503", ""],
      [{ occurred_at: "1999-12-31T12:00Z", activity_date: null }, 400, "23514", "activities_activity_date_check"],
      [{ summary: "x".repeat(4001) }, 400, "23514", "activities_summary_check"],
      [{ summary: "\0" }, 400, "22P05", ""],
      [{ duration_minutes: null }, 400, "23502", ""],
      [{ duration_minutes: 1e10 }, 400, "22003", ""],
      [{ occurred_at: "some day" }, 400, "22007", ""],
      [{ activity_date: "2026-02-30" }, 400, "22008", ""],
      [{ duration_minutes: "long" }, 400, "22P02", ""],
    ];
    for (const [wrong, status, code, words] of cases) {
      const client = "is_proxy_registered" in wrong ? kari : supabase; // who may not is told so first
      const refused = await client.from("activities").insert({ ...row(), ...wrong });
      assert.deepEqual([refused.status, refused.error?.code], [status, code], JSON.stringify(wrong));
      assert.ok(refused.error.message.includes(words), refused.error.message);
    }
    const stranger = createClient(url, key, options);
    assert.equal((await stranger.from("activities").insert(row())).status, 401);
  },

  async "chapter-numbers"({ kari: supabase }) {
    const rows = await right(
      supabase.from("chapter_stats").select("*, chapters(name)").order("activity_count", { ascending: false }),
    );
    assert.ok(rows.length > 1 && rows.every((each) => each.chapters.name));
  },

  async charts({ kari: supabase }) {
    const me = (await right(supabase.auth.getUser())).user.id;
    const bars = await right(supabase.rpc("get_activity_series", { p_year: 2026, p_bucket: "month" }));
    const months = await right(supabase.rpc("get_monthly_series", { p_coordinator_id: me, p_year: 2026 }));
    assert.deepEqual([bars.length, months.length], [12, 12]);
  },

  async pages({ kari: supabase }) {
    const size = 100; // the same, with pages that the seed fills
    const all = [];
    for (let start = 0; ; start += size) {
      const page = await right(
        supabase
          .from("activity_time_series")
          .select("bucket_date, chapter_id, activity_count")
          .order("chapter_id")
          .order("bucket_date")
          .range(start, start + size - 1),
      );
      all.push(...page);
      if (page.length < size) break;
    }
    const { count } = await supabase.from("activity_time_series").select("*", { count: "exact", head: true });
    assert.ok(all.length > size);
    assert.equal(all.length, count);
    assert.equal(new Set(all.map((each) => each.chapter_id + each.bucket_date)).size, count);
  },

  async tree({ kari: supabase }) {
    const found = await right(supabase.rpc("search_units", { p_query: "baer" }));
    assert.equal(found[0].name, "Bærum");
    const unit = await right(
      supabase
        .from("organization_units")
        .select("id, name, kind, parent(id, name), children(id, name, kind)")
        .eq("id", found[0].parent_id)
        .single(),
    );
    assert.equal(unit.parent.name, "NHF");
    assert.ok(unit.children.some(({ name, kind }) => name === "Bærum" && kind === "local"));
    known.unitId = unit.id;
  },

  async status({ kari: supabase }) {
    const period = new URLSearchParams({ period_start: "2026-01-01", period_end: "2027-01-01" });
    const data = await right(supabase.functions.invoke(`snapshot-status?${period}`, { method: "GET" }));
    const status = data.data;
    assert.ok(status.banner.nb && "export_allowed" in status);
  },

  async "function-errors"({ ola: supabase, unitId }) {
    const query = new URLSearchParams({ unit_id: unitId });
    const { error } = await supabase.functions.invoke(`hierarchy-stats?${query}`, { method: "GET" });
    const details = await error.context.json();
    assert.equal(details.error.code, "forbidden");
    assert.equal(error.context.status, 403);
  },

  async "other-origin"({ kari: supabase }) {
    const { access_token } = (await right(supabase.auth.getSession())).session;
    const headers = { apikey: publishableKey, authorization: `Bearer ${access_token}` };
    const functions = new FunctionsClient(elsewhere, { headers });
    assert.equal((await right(functions.invoke("health", { method: "GET" }))).data.database, "reachable");
    assert.notEqual(new URL(elsewhere).origin, new URL(url).origin);
  },

  async live({ ola: supabase, me }) {
    const profile = await right(supabase.from("profiles").select("organization_id").eq("id", me).single());
    const channel = supabase.channel(`activities:org:${profile.organization_id}`, { config: { private: true } });
    const heard = new Promise((resolve) => {
      channel.on("broadcast", { event: "cache_invalidated" }, ({ payload }) => resolve(payload));
    });
    await new Promise((resolve, reject) => {
      channel.subscribe((status) => (status === "SUBSCRIBED" ? resolve(status) : reject(status)));
    });
    await right(supabase.from("activities").insert(row()));
    const payload = /** @type {any} */ (await heard);
    assert.deepEqual(Object.keys(payload).sort(), ["dates", "id", "unit_ids"]);
    assert.ok(payload.unit_ids.includes(known.chapterId));
    await supabase.removeAllChannels();
  },
};

const wanted = process.argv.slice(2);
assert.deepEqual(Object.keys(calls), wanted, "the blocks of the page, in their order");
try {
  for (const name of wanted) {
    await calls[name](known).catch((error) => {
      throw new Error(`${name}: ${error.message}`, { cause: error });
    });
    console.log(name);
  }
} finally {
  const { ola, kari } = known;
  await kari.from("activities").delete().in("id", made);
  await ola.from("activities").delete().in("id", made);
  await Promise.all([ola, kari].map((client) => client.auth.signOut()));
}
process.exit();
