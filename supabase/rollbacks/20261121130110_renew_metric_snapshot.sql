-- Purpose: undo renew_metric_snapshot.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.renew_metric_snapshot(uuid, date, date);
