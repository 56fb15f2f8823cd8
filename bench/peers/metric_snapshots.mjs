// metric-snapshots, GET: a signed-in user; token and input checked, one call with the user's own rights.

import { jwtVerify } from "jose";
import { z } from "zod";
import { asUser, call, Refusal, serve, setting } from "./shared.mjs";

const Period = z
  .strictObject({ period_start: z.iso.date(), period_end: z.iso.date() })
  .refine((period) => period.period_end >= period.period_start)
  .refine((period) => period.period_start.endsWith("-01") && period.period_end.endsWith("-01"));

const count = z.int().nonnegative();
const figures = {
  activity_count: count.nullable(),
  total_hours: z.number().nonnegative().nullable(),
  distinct_participants: count.nullable(),
  participant_count: count.nullable(),
};
const Report = z.strictObject({
  organization_id: z.guid(),
  period_start: z.iso.date(),
  period_end: z.iso.date(),
  mapping_version: count,
  categories: z.array(z.strictObject({ ...figures, bufdir_category_code: z.string() })),
  uncategorised: z.array(z.strictObject({ ...figures, activity_type_id: z.guid(), activity_type_code: z.string() })),
  regions: z.array(
    z.strictObject({ ...figures, region_unit_id: z.guid().nullable(), region_name: z.string().nullable() }),
  ),
  totals: z.strictObject(figures),
});
const Snapshot = z
  .strictObject({
    id: z.guid(),
    organization_id: z.guid(),
    period_start: z.iso.date(),
    period_end: z.iso.date(),
    computed_at: z.iso.datetime({ offset: true }),
    snapshot_generated_at: z.iso.datetime({ offset: true }),
    record_count_at_generation: count,
    source_fingerprint: z.string().regex(/^[0-9a-f]{32}$/),
    mapping_version: count,
    snapshot_json: Report,
  })
  .refine((row) => row.organization_id === row.snapshot_json.organization_id);

const secret = new TextEncoder().encode(setting("SUPABASE_JWT_SECRET"));
const EXPECTED = {
  algorithms: ["HS256"],
  audience: "authenticated",
  requiredClaims: ["exp", "sub"],
  clockTolerance: 10,
};

async function authenticate(authorization) {
  const token = authorization.replace(/^Bearer /i, "");
  const { payload } = await jwtVerify(token, secret, EXPECTED).catch(() => {
    throw new Refusal("unauthorized");
  });
  if (payload.role !== "authenticated" || !z.guid().safeParse(payload.sub).success) throw new Refusal("unauthorized");
}

serve("metric_snapshots", ["GET", "HEAD"], async (request) => {
  const authorization = request.headers.get("authorization") ?? "";
  await authenticate(authorization);
  const period = Period.safeParse(Object.fromEntries(new URL(request.url).searchParams));
  if (!period.success) throw new Refusal("bad_request");
  const parameters = { p_period_start: period.data.period_start, p_period_end: period.data.period_end };
  return call(asUser(authorization), "get_metric_snapshot", parameters, Snapshot.nullable());
});
