-- Purpose: undo read_activity_history: what activities were is read from the history row by row.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.activities_as_of(uuid, timestamptz);
