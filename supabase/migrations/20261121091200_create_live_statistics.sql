-- Purpose: the live statistics, exact at every commit: totals + log, everything, for the owner
-- only.
-- Locks: none. Data safety: new objects only.
--
-- One statement has one snapshot, and in every snapshot each change is either in the log or in the
-- totals: a fold moves it in one statement. Rows are summed once. What has come down to nothing is
-- hidden here and removed by the fold.

create or replace view stats.live_peer_mentor_stats as
    select r.organization_id, r.chapter_id, r.peer_mentor_id,
           sum(r.activity_count)::bigint as activity_count,
           sum(r.total_minutes)::bigint  as total_minutes
    from (
        select t.organization_id, t.chapter_id, t.peer_mentor_id,
               t.activity_count, t.total_minutes
        from stats.peer_mentor_totals t
        union all
        select c.organization_id, c.chapter_id, c.peer_mentor_id,
               c.activity_count, c.total_minutes
        from stats.activity_changes c
    ) r
    group by 1, 2, 3
    having sum(r.activity_count) <> 0;
comment on view stats.live_peer_mentor_stats is
    'Exact at every commit: per peer mentor and chapter.';

-- By peer mentor first: their number is not additive, so it cannot come from a sum of changes.
create or replace view stats.live_chapter_stats as
    select m.organization_id, m.chapter_id,
           sum(m.activity_count)::bigint as activity_count,
           sum(m.total_minutes)::bigint  as total_minutes,
           count(*)                      as active_peer_mentors
    from stats.live_peer_mentor_stats m
    group by 1, 2;
comment on view stats.live_chapter_stats is 'Exact at every commit: per chapter.';

create or replace view stats.live_time_series as
    select r.organization_id, r.chapter_id, r.bucket_date,
           sum(r.activity_count)::bigint    as activity_count,
           sum(r.total_minutes)::bigint     as total_minutes,
           sum(r.participant_count)::bigint as participant_count
    from (
        select t.organization_id, t.chapter_id, t.bucket_date,
               t.activity_count, t.total_minutes, t.participant_count
        from stats.daily_totals t
        union all
        select c.organization_id, c.chapter_id, c.bucket_date,
               c.activity_count, c.total_minutes, c.participant_count
        from stats.activity_changes c
    ) r
    group by 1, 2, 3
    having sum(r.activity_count) <> 0;
comment on view stats.live_time_series is 'Exact at every commit: per chapter and day.';

create or replace view stats.live_monthly_rows as
    select t.organization_id, t.chapter_id, t.activity_month,
           t.activity_count, t.total_minutes, t.participant_count
    from stats.monthly_totals t
    union all
    select c.organization_id, c.chapter_id, date_trunc('month', c.bucket_date::timestamp)::date,
           c.activity_count, c.total_minutes, c.participant_count
    from stats.activity_changes c;
comment on view stats.live_monthly_rows is
    'Exact at every commit: per chapter and month, in rows to be summed once.';

create or replace view stats.live_yearly_rows as
    select t.organization_id, t.chapter_id, t.period_year, t.peer_mentor_id, t.activity_type_id,
           t.activity_count, t.total_minutes, t.participant_count, t.approved_nok
    from stats.yearly_totals t
    union all
    select c.organization_id, c.chapter_id, date_part('year', c.bucket_date)::integer,
           c.peer_mentor_id, c.activity_type_id,
           c.activity_count, c.total_minutes, c.participant_count, c.approved_nok
    from stats.activity_changes c;
comment on view stats.live_yearly_rows is
    'Exact at every commit: per chapter, year, peer mentor and type, in rows to be summed '
    'once.';

-- Exact by nature: reads the activities, by an index on the chapter. Whose they are follows the
-- assignments of now: those who were named, while they coordinate the chapter; else its default
-- coordinator. Asked for one coordinator, it reads that one's chapters; who else coordinates which
-- is looked up only where somebody else was named.
create or replace view stats.followed_rows as
    select a.organization_id, a.chapter_id, c.coordinator_id, a.activity_month, a.activity_type_id,
           1 as activity_count, a.duration_minutes, a.approved_expenses_nok as approved_nok
    from stats.chapter_coordinators c
    join stats.countable_activities a on a.chapter_id = c.chapter_id
    where a.coordinator_id = c.coordinator_id
       or (a.chapter_id, coalesce(a.coordinator_id, '00000000-0000-0000-0000-000000000000'))
              not in (select k.chapter_id, k.coordinator_id from stats.chapter_coordinators k)
          and (c.chapter_id, c.coordinator_id)
              in (select d.chapter_id, d.coordinator_id from stats.default_coordinators d);
comment on view stats.followed_rows is
    'Exact at every commit: activities by who follows them up now.';

create or replace view stats.live_coordinator_rows as
    select r.* from stats.followed_rows r
    union all
    select a.organization_id, a.chapter_id, a.coordinator_id, a.activity_month, a.activity_type_id,
           1, a.duration_minutes, a.approved_expenses_nok
    from stats.countable_activities a
    where a.coordinator_id is not null
      and a.chapter_id not in (select c.chapter_id from stats.chapter_coordinators c);
comment on view stats.live_coordinator_rows is
    'The same; and in a chapter without a coordinator, by who followed them up last.';

revoke all on
    stats.live_peer_mentor_stats, stats.live_chapter_stats, stats.live_time_series,
    stats.live_monthly_rows, stats.live_yearly_rows, stats.followed_rows,
    stats.live_coordinator_rows
    from public, anon, authenticated, service_role;
