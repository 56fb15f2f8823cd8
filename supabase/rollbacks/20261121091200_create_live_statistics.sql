-- Purpose: undo create_live_statistics.
-- Locks: none. Data safety: nothing is lost; views hold no data.

drop view if exists stats.live_coordinator_rows, stats.followed_rows, stats.live_yearly_rows,
    stats.live_monthly_rows, stats.live_time_series, stats.live_chapter_stats,
    stats.live_peer_mentor_stats;
