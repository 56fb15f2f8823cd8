-- Plain views: the same columns and the same filter, aggregated from the activities at every read.

create schema plain;
create view plain.chapter_stats with (security_barrier) as
    select a.chapter_id, count(*) as activity_count, stats.hours(sum(a.duration_minutes)::bigint) as total_hours,
           count(distinct a.peer_mentor_id) as active_peer_mentors
    from stats.countable_activities a
    where a.chapter_id = any (array(select app.statistics_chapter_ids()))
    group by 1;
create view plain.activity_time_series with (security_barrier) as
    select a.bucket_date, a.chapter_id, count(*) as activity_count, stats.hours(sum(a.duration_minutes)::bigint) as total_hours
    from stats.countable_activities a
    where a.chapter_id = any (array(select app.statistics_chapter_ids()))
    group by 1, 2;
-- the organisation's months, summed once: what plain SQL does best
create view plain.activity_months with (security_barrier) as
    select a.activity_month as bucket_date, count(*) as activity_count, stats.hours(sum(a.duration_minutes)::bigint) as total_hours
    from stats.countable_activities a
    where a.chapter_id = any (array(select app.statistics_chapter_ids()))
    group by 1;
grant usage on schema plain to authenticated;
grant select on all tables in schema plain to authenticated;
