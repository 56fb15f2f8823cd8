-- Purpose: undo find_remarks.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.remarks(uuid, date, date, uuid[], date);
drop function if exists stats.fence(float8[]);
