-- Purpose: undo create_bufdir_report.
-- Locks: none. Data safety: nothing is lost; a report is computed from activities.

drop function if exists stats.bufdir_report(uuid, date, date, integer);
drop function if exists stats.report_source(uuid, date, date, integer);
drop function if exists stats.reported(uuid, date, date, integer, boolean);
