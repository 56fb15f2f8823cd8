-- Purpose: undo create_bufdir_report.
-- Locks: none. Data safety: nothing is lost; a report is computed from activities.

drop function if exists stats.bufdir_report(uuid, date, date, integer);
