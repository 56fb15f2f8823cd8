-- Purpose: undo create_metric_snapshots: no stored reports, no record of exports.
-- Locks: brief, ACCESS EXCLUSIVE on organizations and profiles.
-- Data safety: saved snapshots can be computed again; THE RECORD OF WHO EXPORTED WHAT IS LOST.

drop function if exists public.export_bufdir_snapshot(date, date);
drop function if exists app.export_bufdir_snapshot(date, date);
drop table if exists public.bufdir_export_audit_log;
drop function if exists private.refuse_change();
drop function if exists public.get_snapshot_status(date, date);
drop function if exists app.get_snapshot_status(date, date);
drop function if exists stats.snapshot_status(uuid, date, date, timestamptz);
drop function if exists public.compute_metric_snapshot(date, date);
drop function if exists app.compute_metric_snapshot(date, date);
drop function if exists stats.computed_metric_snapshot(uuid, date, date);
drop table if exists public.bufdir_metric_snapshots;
drop function if exists private.stamp_snapshot();
drop function if exists app.is_aggregate_only(jsonb, text);
