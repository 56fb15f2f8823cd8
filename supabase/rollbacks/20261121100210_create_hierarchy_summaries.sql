-- Purpose: undo create_hierarchy_summaries.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.hierarchy_summaries(uuid, integer);
