-- Purpose: undo create_chapter_assignments: nobody works anywhere.
-- Locks: brief, ACCESS EXCLUSIVE on organization_units and profiles.
-- Data safety: the assignments are lost.

drop trigger if exists organization_units_check_chapter_stays on public.organization_units;
drop table if exists public.chapter_assignments;
drop function if exists private.check_chapter_stays();
drop function if exists private.check_chapter_assignment();
