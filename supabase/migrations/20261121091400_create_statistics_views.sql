-- Purpose: the statistics that the API offers, filtered to what the caller may see.
-- Locks: none. Data safety: new objects only.
--
-- Three layers. stats.live_* and stats.mv_*: everything, owner only. stats.visible_*: the same
-- behind an explicit membership predicate, with the owner's rights and security_barrier. public.*:
-- thin security_invoker views over those; nothing raw is reachable through them.

create or replace view stats.visible_peer_mentor_stats with (security_barrier) as
    select l.peer_mentor_id, l.chapter_id, l.activity_count,
           stats.hours(l.total_minutes) as total_hours,
           -- not additive: one index probe, exact after deletions too
           (select a.bucket_date from stats.countable_activities a
            where a.peer_mentor_id = l.peer_mentor_id and a.organization_id = l.organization_id
              and a.chapter_id = l.chapter_id
            order by a.bucket_date desc limit 1) as last_activity_date
    from stats.live_peer_mentor_stats l
    where l.chapter_id = any (array(select app.statistics_chapter_ids()))
       or (l.peer_mentor_id = (select app.profile_id())
           and l.organization_id = (select app.statistics_org_id()));

create or replace view stats.visible_chapter_stats with (security_barrier) as
    select l.chapter_id, l.activity_count, stats.hours(l.total_minutes) as total_hours,
           l.active_peer_mentors
    from stats.live_chapter_stats l
    where l.chapter_id = any (array(select app.statistics_chapter_ids()));

create or replace view stats.visible_time_series with (security_barrier) as
    select l.bucket_date, l.chapter_id, l.activity_count,
           stats.hours(l.total_minutes) as total_hours
    from stats.live_time_series l
    where l.chapter_id = any (array(select app.statistics_chapter_ids()));

create or replace view stats.visible_mv_peer_mentor_stats with (security_barrier) as
    select s.peer_mentor_id, s.chapter_id, s.activity_count,
           stats.hours(s.total_minutes) as total_hours
    from stats.mv_peer_mentor_stats s
    where s.chapter_id = any (array(select app.statistics_chapter_ids()))
       or (s.peer_mentor_id = (select app.profile_id())
           and s.organization_id = (select app.statistics_org_id()));

create or replace view stats.visible_mv_chapter_stats with (security_barrier) as
    select s.chapter_id, s.activity_count, stats.hours(s.total_minutes) as total_hours,
           s.active_peer_mentors
    from stats.mv_chapter_stats s
    where s.chapter_id = any (array(select app.statistics_chapter_ids()));

create or replace view stats.visible_mv_activity_time_series with (security_barrier) as
    select s.bucket_date, s.chapter_id, s.activity_count,
           stats.hours(s.total_minutes) as total_hours
    from stats.mv_activity_time_series s
    where s.chapter_id = any (array(select app.statistics_chapter_ids()));

-- Their columns are those named above. Each has an order of its own, so that a list that is read
-- page by page has every row once.
create or replace view public.peer_mentor_stats with (security_invoker = on) as
    select * from stats.visible_peer_mentor_stats
    order by chapter_id, peer_mentor_id;
create or replace view public.chapter_stats with (security_invoker = on) as
    select * from stats.visible_chapter_stats
    order by chapter_id;
create or replace view public.activity_time_series with (security_invoker = on) as
    select * from stats.visible_time_series
    order by bucket_date, chapter_id;
create or replace view public.mv_peer_mentor_stats with (security_invoker = on) as
    select * from stats.visible_mv_peer_mentor_stats
    order by chapter_id, peer_mentor_id;
create or replace view public.mv_chapter_stats with (security_invoker = on) as
    select * from stats.visible_mv_chapter_stats
    order by chapter_id;
create or replace view public.mv_activity_time_series with (security_invoker = on) as
    select * from stats.visible_mv_activity_time_series
    order by bucket_date, chapter_id;

comment on view public.peer_mentor_stats is 'Per peer mentor and chapter, exact now.';
comment on view public.chapter_stats is 'Per chapter, exact now.';
comment on view public.activity_time_series is 'Per chapter and day, exact now.';
comment on view public.mv_peer_mentor_stats is
    'As peer_mentor_stats, as of the last refresh (stats_freshness).';
comment on view public.mv_chapter_stats is
    'As chapter_stats, as of the last refresh (stats_freshness).';
comment on view public.mv_activity_time_series is
    'As activity_time_series, as of the last refresh (stats_freshness).';

revoke all on
    stats.visible_peer_mentor_stats, stats.visible_chapter_stats, stats.visible_time_series,
    stats.visible_mv_peer_mentor_stats, stats.visible_mv_chapter_stats,
    stats.visible_mv_activity_time_series,
    public.peer_mentor_stats, public.chapter_stats, public.activity_time_series,
    public.mv_peer_mentor_stats, public.mv_chapter_stats, public.mv_activity_time_series
    from public, anon, authenticated, service_role;
-- the former are reachable only through the latter: schema stats itself is not granted
grant select on
    stats.visible_peer_mentor_stats, stats.visible_chapter_stats, stats.visible_time_series,
    stats.visible_mv_peer_mentor_stats, stats.visible_mv_chapter_stats,
    stats.visible_mv_activity_time_series,
    public.peer_mentor_stats, public.chapter_stats, public.activity_time_series,
    public.mv_peer_mentor_stats, public.mv_chapter_stats, public.mv_activity_time_series
    to authenticated;
