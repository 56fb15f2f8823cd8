-- Purpose: undo log_activity_changes: changes of activities are no longer logged.
-- Locks: brief, ACCESS EXCLUSIVE on activities. Data safety: after a new start, stats.rebuild()
-- brings the totals up to date.

drop trigger if exists activities_refuse_truncate on public.activities;
drop trigger if exists activities_log_deletes on public.activities;
drop trigger if exists activities_log_updates on public.activities;
drop trigger if exists activities_log_inserts on public.activities;
drop function if exists stats.refuse_truncate();
drop function if exists stats.log_updated_activities();
drop function if exists stats.log_deleted_activities();
drop function if exists stats.log_inserted_activities();
drop function if exists stats.define_change_triggers();
drop function if exists stats.minutes_of(text);
drop function if exists stats.contributions_of(text);
drop function if exists stats.view_over(text, text, text);
