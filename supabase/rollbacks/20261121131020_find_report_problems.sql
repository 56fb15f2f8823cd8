-- Purpose: undo find_report_problems.
-- Locks: none. Data safety: nothing is lost.

drop view if exists stats.report_problems;
