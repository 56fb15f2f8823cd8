-- Purpose: undo create_activities: no activities.
-- Locks: brief, ACCESS EXCLUSIVE on the tables it refers to. Data safety: EVERY ACTIVITY IS LOST.

drop table if exists public.activities;
drop type if exists public.activity_status;
