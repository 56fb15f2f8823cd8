-- Purpose: undo create_marks.
-- Locks: none. Data safety: the marks are lost: create_hierarchy_cache begins with an empty cache.

drop table if exists stats.unrefreshed_changes, stats.marks;
