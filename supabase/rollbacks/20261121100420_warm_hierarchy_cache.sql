-- Purpose: undo warm_hierarchy_cache: a summary is computed when somebody asks for it.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.precompute_hierarchy(uuid, integer);
drop function if exists public.warm_hierarchy_cache(uuid, double precision);
drop function if exists public.refresh_hierarchy_entry(uuid, integer);
