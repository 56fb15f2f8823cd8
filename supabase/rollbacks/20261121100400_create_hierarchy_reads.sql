-- Purpose: undo create_hierarchy_reads: the cache is neither read nor warmed up.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.precompute_hierarchy(uuid, integer);
drop function if exists public.warm_hierarchy_cache(uuid, double precision);
drop function if exists public.record_node_reads(jsonb);
drop function if exists public.refresh_hierarchy_entry(uuid, integer);
drop function if exists public.read_hierarchy_stats(uuid, integer);
drop function if exists public.get_hierarchy_stats(uuid, integer);
drop function if exists app.read_hierarchy_stats(uuid, integer);
drop function if exists stats.cached_hierarchy_stats(uuid, integer);
drop function if exists app.get_hierarchy_stats(uuid, integer);
drop function if exists app.require_readable_unit(uuid, integer);
drop function if exists app.readable_unit(uuid);
