-- Purpose: undo show_versions.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.shown_version(public.bufdir_report_versions);
drop function if exists stats.shown_signature(uuid, timestamptz);
drop function if exists stats.report_counting_rule(uuid);
drop function if exists stats.report_mapping(uuid, integer);
