-- Purpose: undo judge_activities: activities are written as they come, with a day of their own.
-- Locks: brief, ACCESS EXCLUSIVE on activities. Data safety: nothing is lost.

drop trigger if exists activities_2_date_given on public.activities;
drop trigger if exists activities_1_moment_given on public.activities;
drop trigger if exists activities_3_judge on public.activities;
drop function if exists private.note_given_date();
drop function if exists stats.judge_activity();
drop view if exists stats.judgements;
