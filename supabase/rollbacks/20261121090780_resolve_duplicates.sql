-- Purpose: undo resolve_duplicates: nothing is checked of what is called a duplicate.
-- Locks: brief, ACCESS EXCLUSIVE on activities. Data safety: nothing is lost.

drop trigger if exists activities_pass_on_changed on public.activities;
drop trigger if exists "A_pass_on_deleted" on public.activities;
drop trigger if exists activities_check_duplicate on public.activities;
drop function if exists private.pass_on();
drop function if exists private.pass_on_duplicates(uuid);
drop function if exists private.check_duplicate();
