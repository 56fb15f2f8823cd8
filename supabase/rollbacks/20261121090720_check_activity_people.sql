-- Purpose: undo check_activity_people: anybody may be named, and no coordinator is by default.
-- Locks: brief, ACCESS EXCLUSIVE on activities. Data safety: nothing is lost.

drop trigger if exists activities_people_updated on public.activities;
drop trigger if exists activities_people_inserted on public.activities;
drop function if exists private.check_activity();
