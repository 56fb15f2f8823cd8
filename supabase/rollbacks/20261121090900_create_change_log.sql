-- Purpose: undo create_change_log.
-- Locks: none. Data safety: the log is lost; what it says is in activities, and stats.rebuild()
-- computes from there.

drop table if exists stats.activity_changes;
drop view if exists stats.contributions;
drop function if exists stats.measure_list(text, text);
drop table if exists stats.measures;
