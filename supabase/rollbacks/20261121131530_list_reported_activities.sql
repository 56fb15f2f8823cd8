-- Purpose: undo list_reported_activities.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.audit_basis(public.bufdir_report_versions);
drop function if exists stats.reported_activities(public.bufdir_report_versions);
