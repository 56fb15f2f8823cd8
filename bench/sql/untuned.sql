-- The snapshots as one would first write them: no always-null column, peer mentors counted by count(distinct), hours
-- stored beside the minutes, an index for each order of reading. What a refresh of these costs is what the tuned ones are measured against; one for each
-- materialised view of schema stats.

create schema untuned;
create materialized view untuned.mv_peer_mentor_stats as
    select a.organization_id, a.chapter_id, a.peer_mentor_id, count(*) as activity_count,
           sum(a.duration_minutes)::bigint as total_minutes, stats.hours(sum(a.duration_minutes)::bigint) as total_hours,
           sum(a.participant_count)::bigint as participant_count
    from stats.countable_activities a group by 1, 2, 3;
create unique index on untuned.mv_peer_mentor_stats (peer_mentor_id, chapter_id);
create index on untuned.mv_peer_mentor_stats (chapter_id);
create materialized view untuned.mv_chapter_stats as
    select a.organization_id, a.chapter_id, count(*) as activity_count,
           sum(a.duration_minutes)::bigint as total_minutes, stats.hours(sum(a.duration_minutes)::bigint) as total_hours,
           sum(a.participant_count)::bigint as participant_count, count(distinct a.peer_mentor_id) as active_peer_mentors
    from stats.countable_activities a group by 1, 2;
create unique index on untuned.mv_chapter_stats (chapter_id);
create index on untuned.mv_chapter_stats (organization_id);
create materialized view untuned.mv_activity_time_series as
    select a.organization_id, a.chapter_id, a.bucket_date, count(*) as activity_count,
           sum(a.duration_minutes)::bigint as total_minutes, stats.hours(sum(a.duration_minutes)::bigint) as total_hours,
           sum(a.participant_count)::bigint as participant_count
    from stats.countable_activities a group by 1, 2, 3;
create unique index on untuned.mv_activity_time_series (chapter_id, bucket_date);
create index on untuned.mv_activity_time_series (bucket_date);
create index on untuned.mv_activity_time_series (organization_id, bucket_date);
create materialized view untuned.mv_yearly_stats as
    select a.organization_id, a.chapter_id, extract(year from a.bucket_date)::integer as period_year, a.peer_mentor_id,
           a.activity_type_id, count(*) as activity_count, sum(a.duration_minutes)::bigint as total_minutes,
           sum(a.participant_count)::bigint as participant_count, sum(a.approved_expenses_nok) as approved_nok
    from stats.countable_activities a group by 1, 2, 3, 4, 5;
create unique index on untuned.mv_yearly_stats (chapter_id, period_year, peer_mentor_id, activity_type_id);
create index on untuned.mv_yearly_stats (organization_id, period_year);
