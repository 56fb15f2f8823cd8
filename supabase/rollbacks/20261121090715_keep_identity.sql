-- Purpose: undo keep_identity: whoever may correct an activity may make it another's.
-- Locks: brief, ACCESS EXCLUSIVE on activities. Data safety: nothing is lost.

drop trigger if exists activities_keep_identity on public.activities;
drop function if exists private.keep_identity();
