-- Purpose: undo create_hierarchy_reads: nobody reads summaries.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.read_hierarchy_stats(uuid, integer);
drop function if exists public.get_hierarchy_stats(uuid, integer);
drop function if exists app.read_hierarchy_stats(uuid, integer);
drop function if exists stats.cached_hierarchy_stats(uuid, integer);
drop function if exists app.get_hierarchy_stats(uuid, integer);
drop function if exists app.require_readable_unit(uuid, integer);
drop function if exists app.readable_unit(uuid);
