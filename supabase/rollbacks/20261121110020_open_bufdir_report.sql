-- Purpose: undo open_bufdir_report: the API gives no report.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.generate_bufdir_report(uuid, date, date, integer, integer);
drop function if exists app.generate_bufdir_report(uuid, date, date, integer);
drop function if exists stats.require_mapping_version(uuid, date, date);
drop function if exists app.require_report(uuid, date, date, text);
drop function if exists app.require_report_access(uuid, date, date, text);
