-- Purpose: undo compute_metric_snapshot.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.compute_metric_snapshot(date, date, integer);
drop function if exists app.compute_metric_snapshot(date, date);
drop function if exists stats.computed_metric_snapshot(uuid, date, date);
