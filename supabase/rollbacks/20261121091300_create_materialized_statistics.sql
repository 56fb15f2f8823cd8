-- Purpose: undo create_materialized_statistics.
-- Locks: none. Data safety: nothing is lost; they are computed from the totals.

drop materialized view if exists stats.mv_activity_time_series, stats.mv_chapter_stats,
    stats.mv_peer_mentor_stats;
