-- Purpose: undo create_activity_history: nobody notes what activities were before.
-- Locks: brief, ACCESS EXCLUSIVE on activities. Data safety: THE HISTORY IS LOST.

drop trigger if exists activities_record_deletes on public.activities;
drop trigger if exists activities_record_updates on public.activities;
drop function if exists stats.record_deleted_activities();
drop function if exists stats.record_updated_activities();
drop function if exists stats.define_history();
drop table if exists public.activity_history;
drop view if exists stats.activity_facts;
