-- Purpose: undo open_refresh: the API neither refreshes mv_* nor tells how fresh they are.
-- Locks: none. Data safety: nothing is lost.

drop view if exists public.stats_freshness;
drop view if exists stats.visible_freshness;
drop function if exists public.refresh_stats_views();
