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
});
const database = service();

serve("health", ["GET", "HEAD"], async () => ({
  status: "ready",
  database: "reachable",
  ...(await call(database, "get_health", {}, Health)),
}));
