-- Purpose: undo create_hierarchy_cache.
-- Locks: brief, ACCESS EXCLUSIVE on organization_units. Data safety: summaries can be computed
-- again.

drop function if exists stats.is_outdated(public.hierarchy_stats_cache);
drop function if exists stats.current_mark(uuid, integer);
drop table if exists public.hierarchy_stats_cache;
