-- Purpose: undo create_activity_types: no kinds of activity, no Bufdir categories.
-- Locks: brief, ACCESS EXCLUSIVE on the tables they refer to.
-- Data safety: types and mappings are lost.

drop table if exists public.bufdir_category_mappings;
drop table if exists public.activity_types;
