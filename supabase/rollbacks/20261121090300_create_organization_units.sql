-- Purpose: undo create_organization_units: no tree.
-- Locks: brief, ACCESS EXCLUSIVE on organizations. Data safety: the units are lost.

drop view if exists public.chapters;
drop table if exists public.organization_units;
drop type if exists public.unit_kind;
