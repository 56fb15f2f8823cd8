-- Purpose: undo compute_hierarchy_entries.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.wrong_summaries(uuid[]);
drop function if exists stats.compute_hierarchy_entry(uuid, integer);
drop function if exists stats.store_hierarchy_entries(public.hierarchy_stats_cache[]);
drop function if exists stats.computed_hierarchy_entry(uuid, integer);
