-- Purpose: undo create_hierarchy_cache.
-- Locks: brief, ACCESS EXCLUSIVE on organization_units. Data safety: summaries can be computed again; how often each unit was read is lost.

drop function if exists stats.compute_hierarchy_entry(uuid, integer);
drop function if exists stats.store_hierarchy_entries(public.hierarchy_stats_cache[]);
drop function if exists stats.computed_hierarchy_entry(uuid, integer);
drop function if exists stats.wrong_summaries(uuid[]);
drop function if exists stats.is_outdated(public.hierarchy_stats_cache);
drop function if exists stats.current_mark(uuid, integer);
drop function if exists stats.decayed_reads(double precision, timestamptz, timestamptz);
drop table if exists public.hierarchy_node_access;
drop table if exists public.hierarchy_stats_cache;
