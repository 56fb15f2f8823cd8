-- Purpose: undo create_activities: no activities, and no rule that says what counts.
-- Locks: brief, ACCESS EXCLUSIVE on the tables it refers to. Data safety: EVERY ACTIVITY IS LOST.

drop view if exists stats.countable_activities;
drop function if exists stats.counts_in_statistics(public.activities);
drop table if exists public.activities;
drop function if exists private.set_default_coordinator();
drop function if exists stats.hours(bigint);
drop function if exists stats.counts_in_statistics(public.activity_status);
drop type if exists public.activity_status;
