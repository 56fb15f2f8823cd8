-- Purpose: undo create_report_versions.
-- Locks: brief, ACCESS EXCLUSIVE on organization_settings. Data safety: what was reported is lost.

drop table if exists stats.complete_versions;
drop table if exists public.bufdir_report_versions;
alter table public.organization_settings drop column if exists two_person_sign_off;
