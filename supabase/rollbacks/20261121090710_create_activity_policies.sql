-- Purpose: undo create_activity_policies: nobody but the service role reads or writes activities.
-- Locks: brief, ACCESS EXCLUSIVE on activities. Data safety: nothing is lost.

drop policy if exists "people delete their own and their chapters' activities"
    on public.activities;
drop policy if exists "people correct their own and their chapters' activities"
    on public.activities;
drop policy if exists "people register for themselves, coordinators also by proxy"
    on public.activities;
drop policy if exists "people read their own activities and those of their chapters"
    on public.activities;
