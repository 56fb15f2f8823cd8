-- Purpose: undo create_chapter_assignments: nobody works anywhere.
-- Locks: brief, ACCESS EXCLUSIVE on organization_units and profiles.
-- Data safety: the assignments are lost.

drop view if exists stats.default_coordinators, stats.chapter_coordinators;
drop table if exists public.chapter_assignments;
drop function if exists private.check_chapter_assignment();
