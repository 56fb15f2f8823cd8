-- Purpose: undo create_snapshots: no materialised statistics.
-- Locks: none. Data safety: nothing is lost; snapshots are computed from activities.

drop materialized view if exists stats.mv_activity_time_series, stats.mv_chapter_stats, stats.mv_peer_mentor_stats;
drop view if exists stats.changes_since_snapshot;
drop function if exists stats.record_snapshot(text, pg_snapshot);
drop table if exists stats.snapshot_positions;
