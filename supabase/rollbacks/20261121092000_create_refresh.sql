-- Purpose: undo create_refresh: nothing refreshes mv_*.
-- Locks: none. Data safety: nothing is lost.

drop view if exists public.stats_freshness;
drop view if exists stats.visible_freshness;
drop function if exists public.refresh_stats_views();
drop function if exists stats.refresh(boolean);
drop function if exists stats.refresh_views();
drop view if exists stats.pending_changes;
drop view if exists stats.refresh_pace;
