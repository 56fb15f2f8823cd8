-- Purpose: undo create_statistics_views: the API offers no statistics.
-- Locks: none. Data safety: nothing is lost; views hold no data.

drop view if exists public.mv_activity_time_series, public.mv_chapter_stats,
    public.mv_peer_mentor_stats, public.activity_time_series, public.chapter_stats,
    public.peer_mentor_stats;
drop view if exists stats.visible_mv_activity_time_series, stats.visible_mv_chapter_stats,
    stats.visible_mv_peer_mentor_stats, stats.visible_time_series, stats.visible_chapter_stats,
    stats.visible_peer_mentor_stats;
