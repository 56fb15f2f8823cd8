-- Purpose: undo create_refresh: nothing asks for a refresh, and nothing does it.
-- Locks: brief, ACCESS EXCLUSIVE on stats.activity_changes for its trigger. Data safety: the settings and the record of
-- past refreshes are lost; the change log and the snapshots stay, so reads stay exact.

drop trigger if exists activity_changes_request_refresh on stats.activity_changes;

drop function if exists public.get_health();
drop view if exists public.stats_freshness;
drop view if exists stats.visible_freshness;
drop function if exists stats.sweep();
drop function if exists stats.wake_refresh(text, uuid);
drop function if exists stats.request_refresh();
drop function if exists stats.rebuild();
drop function if exists public.refresh_stats_views();
drop function if exists stats.refresh(boolean);
drop function if exists stats.record_error(text);
drop view if exists stats.pending_changes;
drop view if exists stats.refresh_pace;

drop table if exists stats.stats_refresh_log;
drop table if exists stats.settings;
