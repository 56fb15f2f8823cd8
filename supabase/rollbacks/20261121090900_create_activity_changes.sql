-- Purpose: undo create_activity_changes: changes of activities are no longer logged.
-- Locks: brief, ACCESS EXCLUSIVE on activities for its triggers. Data safety: the change log is lost; what it says is in
-- activities, and create_snapshots computes from there.

drop trigger if exists activities_refuse_truncate on public.activities;
drop trigger if exists activities_log_deletes on public.activities;
drop trigger if exists activities_log_updates on public.activities;
drop trigger if exists activities_log_inserts on public.activities;
drop function if exists stats.refuse_truncate();
drop function if exists stats.log_updated_activities();
drop function if exists stats.log_deleted_activities();
drop function if exists stats.log_inserted_activities();
drop table if exists stats.activity_changes;
