-- Purpose: undo keep_locked_years: a locked year is as any other.
-- Locks: brief, ACCESS EXCLUSIVE on activities and bufdir_mapping_versions.
-- Data safety: nothing is lost.

drop trigger if exists bufdir_mapping_versions_keep_locked_years
    on public.bufdir_mapping_versions;
drop function if exists private.keep_mapping_of_locked_years();
drop trigger if exists activities_keep_locked_years_unchanged on public.activities;
drop trigger if exists activities_keep_locked_years on public.activities;
drop function if exists private.keep_locked_years();
drop function if exists stats.require_open_year(uuid, date);
