-- Purpose: undo create_snapshot_status: nobody knows whether a saved report is fresh.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.get_snapshot_status(date, date, integer);
drop function if exists app.get_snapshot_status(date, date);
drop function if exists stats.snapshot_status(uuid, date, date, timestamptz);
drop function if exists stats.judged_snapshot(
    public.bufdir_metric_snapshots, bigint, text, timestamptz);
