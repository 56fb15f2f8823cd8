-- Purpose: undo create_refresh: nothing refreshes mv_*.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.refresh(boolean);
drop function if exists stats.refresh_views();
drop view if exists stats.pending_changes;
drop view if exists stats.refresh_pace;
