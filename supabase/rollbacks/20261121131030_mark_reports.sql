-- Purpose: undo mark_reports.
-- Locks: none. Data safety: what the versions have seen is lost: they cannot be compared any more.

drop function if exists stats.new_mark(uuid, date, date);
drop function if exists stats.joined_numbers(bigint[]);
drop function if exists stats.unseen(int8multirange);
drop table if exists stats.report_marks;
