-- Purpose: undo create_mapping_versions.
-- Locks: brief, ACCESS EXCLUSIVE on bufdir_mapping_versions. Data safety: from which year on each
-- version was in force is lost.

drop function if exists stats.mapping_version(uuid, date, date);
drop function if exists stats.mapping_version(uuid, integer);
drop table if exists public.bufdir_mapping_versions;
drop function if exists private.check_mapping_version();
