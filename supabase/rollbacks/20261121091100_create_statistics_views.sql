-- Purpose: undo create_statistics_views: the API offers no statistics.
-- Locks: none. Data safety: nothing is lost; views hold no data.

drop function if exists public.get_activity_series(date, date, text, uuid[]);
drop function if exists app.get_activity_series(date, date, text, uuid[]);
drop function if exists public.get_monthly_series(uuid, date, date);
drop function if exists app.monthly_series(uuid, date, date);

drop view if exists public.mv_activity_time_series, public.mv_chapter_stats, public.mv_peer_mentor_stats,
    public.coordinator_monthly_stats, public.activity_time_series, public.chapter_stats, public.peer_mentor_stats;
drop view if exists stats.visible_mv_activity_time_series, stats.visible_mv_chapter_stats,
    stats.visible_mv_peer_mentor_stats, stats.visible_coordinator_monthly_stats, stats.visible_time_series,
    stats.visible_chapter_stats, stats.visible_peer_mentor_stats;
drop view if exists stats.live_coordinator_rows, stats.live_time_series, stats.live_chapter_stats,
    stats.live_peer_mentor_stats, stats.live_time_series_rows, stats.live_peer_mentor_rows;
