// refresh-stats-views, called by a webhook: signature and payload checked, claimed, then refreshed if it is time.

import { timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { call, Refusal, serve, service, setting } from "./shared.mjs";

const TOLERANCE_SECONDS = 300;
const Payload = z.strictObject({
  type: z.string().min(1).max(64),
  table: z.string().min(1).max(64),
  organization_id: z.guid(),
  records: z
    .array(
      z.strictObject({
        id: z.union([z.int(), z.guid()]),
        unit_id: z.guid().nullish(),
        date: z.iso.date().nullish(),
      }),
    )
    .max(100),
  truncated: z.boolean(),
});
const Refresh = z.object({
  outcome: z.enum(["refreshed", "debounced", "already_running", "nothing_pending", "failed"]),
  refreshed_at: z.iso.datetime({ offset: true }).nullable(),
  applied_changes: z.int(),
  duration_ms: z.number(),
});

const decode = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const key = await crypto.subtle.importKey(
  "raw",
  decode(setting("FERSK_WEBHOOK_SECRET").replace(/^whsec_/, "")),
  { name: "HMAC", hash: "SHA-256" },
  false,
  ["sign"],
);
const database = service();

async function verify(headers, body) {
  const [id, timestamp, signatures] = ["id", "timestamp", "signature"].map(
    (name) => headers.get(`webhook-${name}`) ?? "",
  );
  if (!id || Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) throw new Refusal("unauthorized");
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const expected = new Uint8Array(await crypto.subtle.sign("HMAC", key, signed));
  const isRight = signatures.split(" ").some((signature) => {
    const [version, encoded] = signature.split(",");
    const given = version === "v1" ? decode(encoded) : new Uint8Array();
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!isRight) throw new Refusal("unauthorized");
  return id;
}

serve("refresh_stats_views", ["POST"], async (request) => {
  const body = await request.text();
  const id = await verify(request.headers, body);
  if (!Payload.safeParse(JSON.parse(body)).success) throw new Refusal("bad_request");
  if (!(await call(database, "claim_webhook", { p_webhook_id: id }, z.boolean()))) throw new Refusal("unauthorized");
  const report = await call(database, "refresh_stats_views", {}, Refresh);
  if (report.outcome === "failed") throw new Refusal("internal");
  return report;
});
