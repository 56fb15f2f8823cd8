-- Purpose: undo explain_differences.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.effects(public.bufdir_report_versions, uuid);
drop function if exists stats.report_side(public.bufdir_report_versions, uuid);
