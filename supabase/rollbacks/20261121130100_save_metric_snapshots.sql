-- Purpose: undo save_metric_snapshots: nothing can be saved, and what is saved is read without
-- small groups.
-- Locks: brief, ACCESS EXCLUSIVE on bufdir_metric_snapshots. Data safety: the saved figures of
-- small groups are lost; they can be computed again.

drop function if exists public.save_metric_snapshot(date, date, integer);
drop function if exists app.save_metric_snapshot(date, date);
drop function if exists public.get_metric_snapshot(date, date, integer);
drop function if exists app.get_metric_snapshot(date, date);
drop function if exists stats.metric_snapshot(date, date);
drop function if exists stats.save_metric_snapshot(uuid, date, date);
drop function if exists stats.saved_report(public.bufdir_metric_snapshots);
drop table if exists stats.complete_reports;
