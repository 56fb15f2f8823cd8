-- Purpose: undo create_metrics.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.get_metrics();
drop view if exists private.recent_wake_ups;
drop view if exists private.schedule_runs;
