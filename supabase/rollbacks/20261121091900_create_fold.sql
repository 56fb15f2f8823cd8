-- Purpose: undo create_fold: the log grows, and live reads with it.
-- Locks: none. Data safety: the marks are lost: create_hierarchy_cache begins with an empty cache.

drop function if exists stats.tell(jsonb);
drop function if exists stats.fold();
drop function if exists stats.remove_zeros(jsonb);
drop function if exists stats.totals_upserts();
drop table if exists stats.unrefreshed_changes, stats.marks;
