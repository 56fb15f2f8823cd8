-- Purpose: undo keep_chapters: a unit may change its kind at any time.
-- Locks: brief, ACCESS EXCLUSIVE on organization_units. Data safety: nothing is lost.

drop trigger if exists organization_units_check_kind on public.organization_units;
drop function if exists private.check_unit_keeps_kind();
