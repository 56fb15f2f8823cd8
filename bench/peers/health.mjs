// health: anyone; one call with the secret key.

import { z } from "zod";
import { call, serve, service } from "./shared.mjs";

const Health = z.object({
  last_refreshed_at: z.iso.datetime({ offset: true }).nullable(),
  last_sweep_at: z.iso.datetime({ offset: true }).nullable(),
  pending_changes: z.int(),
  oldest_pending_seconds: z.number().nullable(),
  differences: z.int(),
  last_difference_at: z.iso.datetime({ offset: true }).nullable(),
  last_delivered_at: z.iso.datetime({ offset: true }).nullable(),
  last_undelivered_at: z.iso.datetime({ offset: true }).nullable(),
  reasons: z.array(
    z.object({ code: z.string(), since: z.iso.datetime({ offset: true }).nullable(), remedy: z.string() }),
  ),
});
const database = service();

serve("health", ["GET", "HEAD"], async () => {
  const found = await call(database, "get_health", {}, Health);
  return { status: found.reasons.length ? "degraded" : "ready", database: "reachable", ...found };
});
