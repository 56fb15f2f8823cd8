-- Purpose: undo keep_locked_years: a locked year is as any other.
-- Locks: brief, ACCESS EXCLUSIVE on activities. Data safety: nothing is lost.

drop trigger if exists activities_keep_locked_years_unchanged on public.activities;
drop trigger if exists activities_keep_locked_years on public.activities;
drop function if exists private.keep_locked_years();
drop function if exists stats.require_open_year(uuid, date);
