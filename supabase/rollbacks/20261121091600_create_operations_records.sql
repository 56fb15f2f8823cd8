-- Purpose: undo create_operations_records.
-- Locks: none. Data safety: the settings and the record of past refreshes and errors are lost.

drop function if exists stats.record_error(text);
drop table if exists stats.errors, stats.stats_refresh_log, stats.settings;
