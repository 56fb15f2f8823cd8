-- Purpose: the statistics that the API offers, filtered to what the caller may see.
-- Locks: none. Data safety: new objects only.
--
-- Three layers. stats.live_*: snapshot + changes, everything, owner only. stats.visible_*: the same behind an explicit
-- membership predicate, with the owner's rights and security_barrier (materialised views have no RLS). public.*: thin
-- security_invoker views over those; nothing raw is reachable through them.

-- Rows, to be summed once: the snapshot's and the changes it does not contain.
create or replace view stats.live_peer_mentor_rows as
    select s.organization_id, s.chapter_id, s.peer_mentor_id, s.activity_count, s.total_minutes
    from stats.mv_peer_mentor_stats s
    union all
    select c.organization_id, c.chapter_id, c.peer_mentor_id, c.activity_count, c.total_minutes
    from stats.changes_since_snapshot c where c.relation_name = 'mv_peer_mentor_stats';

create or replace view stats.live_time_series_rows as
    select s.organization_id, s.chapter_id, s.bucket_date, s.activity_count, s.total_minutes, s.participant_count
    from stats.mv_activity_time_series s
    union all
    select c.organization_id, c.chapter_id, c.bucket_date, c.activity_count, c.total_minutes, c.participant_count
    from stats.changes_since_snapshot c where c.relation_name = 'mv_activity_time_series';

create or replace view stats.live_peer_mentor_stats as
    select r.organization_id, r.chapter_id, r.peer_mentor_id,
           sum(r.activity_count)::bigint as activity_count, sum(r.total_minutes)::bigint as total_minutes
    from stats.live_peer_mentor_rows r
    group by 1, 2, 3
    having sum(r.activity_count) <> 0;
comment on view stats.live_peer_mentor_stats is 'Exact at every commit: per peer mentor and chapter.';

-- Built on the peer mentors' rows: their number is not additive, so it cannot come from a sum of changes.
create or replace view stats.live_chapter_stats as
    select m.organization_id, m.chapter_id, sum(m.activity_count)::bigint as activity_count,
           sum(m.total_minutes)::bigint as total_minutes, count(*) as active_peer_mentors
    from stats.live_peer_mentor_stats m
    group by 1, 2;
comment on view stats.live_chapter_stats is 'Exact at every commit: per chapter.';

create or replace view stats.live_time_series as
    select r.organization_id, r.chapter_id, r.bucket_date, sum(r.activity_count)::bigint as activity_count,
           sum(r.total_minutes)::bigint as total_minutes, sum(r.participant_count)::bigint as participant_count
    from stats.live_time_series_rows r
    group by 1, 2, 3
    having sum(r.activity_count) <> 0;
comment on view stats.live_time_series is 'Exact at every commit: per chapter and UTC day.';

create or replace view stats.visible_peer_mentor_stats with (security_barrier) as
    select l.peer_mentor_id, l.chapter_id, l.activity_count, stats.hours(l.total_minutes) as total_hours,
           -- not additive: one index probe, exact after deletions too
           (select a.bucket_date from stats.countable_activities a
            where a.peer_mentor_id = l.peer_mentor_id and a.organization_id = l.organization_id and a.chapter_id = l.chapter_id
            order by a.occurred_at desc limit 1) as last_activity_date
    from stats.live_peer_mentor_stats l
    where l.chapter_id = any (array(select app.statistics_chapter_ids()))
       or (l.peer_mentor_id = (select app.profile_id()) and l.organization_id = (select app.statistics_org_id()));

create or replace view stats.visible_chapter_stats with (security_barrier) as
    select l.chapter_id, l.activity_count, stats.hours(l.total_minutes) as total_hours, l.active_peer_mentors
    from stats.live_chapter_stats l
    where l.chapter_id = any (array(select app.statistics_chapter_ids()));

create or replace view stats.visible_time_series with (security_barrier) as
    select l.bucket_date, l.chapter_id, l.activity_count, stats.hours(l.total_minutes) as total_hours
    from stats.live_time_series l
    where l.chapter_id = any (array(select app.statistics_chapter_ids()));

-- Exact by nature: plain views on the index (organization_id, coordinator_id, month, activity_type_id).
create or replace view stats.live_coordinator_rows as
    select a.organization_id, a.coordinator_id, a.activity_month, a.activity_type_id,
           1 as activity_count, a.duration_minutes, a.approved_expenses_nok as approved_nok
    from stats.countable_activities a
    where a.coordinator_id is not null;

-- Two branches rather than an OR, so that a coordinator's own rows are found by the index; the second one runs for
-- org admins only.
create or replace view stats.visible_coordinator_monthly_stats with (security_barrier) as
    select v.organization_id as org_id, v.coordinator_id, v.activity_month, v.activity_type_id,
           sum(v.activity_count)::bigint as activity_count,
           sum(v.duration_minutes)::bigint as total_duration_minutes,
           stats.hours(sum(v.duration_minutes)::bigint) as total_hours,
           sum(v.approved_nok)::numeric(14, 2) as approved_expenses_nok
    from (
        select r.* from stats.live_coordinator_rows r
        where r.organization_id = (select app.statistics_org_id()) and r.coordinator_id = (select app.profile_id())
        union all
        select r.* from stats.live_coordinator_rows r
        where r.organization_id = (select app.statistics_org_id()) and (select app.profile_role()) = 'org_admin'
          and r.coordinator_id <> (select app.profile_id())
    ) v
    group by 1, 2, 3, 4;

create or replace view stats.visible_mv_peer_mentor_stats with (security_barrier) as
    select s.peer_mentor_id, s.chapter_id, s.activity_count, stats.hours(s.total_minutes) as total_hours
    from stats.mv_peer_mentor_stats s
    where s.chapter_id = any (array(select app.statistics_chapter_ids()))
       or (s.peer_mentor_id = (select app.profile_id()) and s.organization_id = (select app.statistics_org_id()));

create or replace view stats.visible_mv_chapter_stats with (security_barrier) as
    select s.chapter_id, s.activity_count, stats.hours(s.total_minutes) as total_hours, s.active_peer_mentors
    from stats.mv_chapter_stats s
    where s.chapter_id = any (array(select app.statistics_chapter_ids()));

create or replace view stats.visible_mv_activity_time_series with (security_barrier) as
    select s.bucket_date, s.chapter_id, s.activity_count, stats.hours(s.total_minutes) as total_hours
    from stats.mv_activity_time_series s
    where s.chapter_id = any (array(select app.statistics_chapter_ids()));

create or replace view public.peer_mentor_stats with (security_invoker = on) as
    select peer_mentor_id, chapter_id, activity_count, total_hours, last_activity_date from stats.visible_peer_mentor_stats;
create or replace view public.chapter_stats with (security_invoker = on) as
    select chapter_id, activity_count, total_hours, active_peer_mentors from stats.visible_chapter_stats;
create or replace view public.activity_time_series with (security_invoker = on) as
    select bucket_date, chapter_id, activity_count, total_hours from stats.visible_time_series;
create or replace view public.coordinator_monthly_stats with (security_invoker = on) as
    select org_id, coordinator_id, activity_month, activity_type_id, activity_count, total_duration_minutes, total_hours,
           approved_expenses_nok
    from stats.visible_coordinator_monthly_stats;
create or replace view public.mv_peer_mentor_stats with (security_invoker = on) as
    select peer_mentor_id, chapter_id, activity_count, total_hours from stats.visible_mv_peer_mentor_stats;
create or replace view public.mv_chapter_stats with (security_invoker = on) as
    select chapter_id, activity_count, total_hours, active_peer_mentors from stats.visible_mv_chapter_stats;
create or replace view public.mv_activity_time_series with (security_invoker = on) as
    select bucket_date, chapter_id, activity_count, total_hours from stats.visible_mv_activity_time_series;

comment on view public.peer_mentor_stats is 'Per peer mentor and chapter, exact now.';
comment on view public.chapter_stats is 'Per chapter, exact now.';
comment on view public.activity_time_series is 'Per chapter and UTC day, exact now.';
comment on view public.coordinator_monthly_stats is 'Per coordinator, month (UTC) and activity type, with approved expenses, exact now.';
comment on view public.mv_peer_mentor_stats is 'As peer_mentor_stats, as of the last refresh (stats_freshness).';
comment on view public.mv_chapter_stats is 'As chapter_stats, as of the last refresh (stats_freshness).';
comment on view public.mv_activity_time_series is 'As activity_time_series, as of the last refresh (stats_freshness).';

-- Its body is bound when it is created, so callers need no right on schema stats to use stats.hours.
create or replace function app.monthly_series(p_coordinator_id uuid, p_from date, p_to date)
    returns table (activity_month date, activity_count bigint, total_duration_minutes bigint, total_hours numeric,
                   approved_expenses_nok numeric)
    language sql stable security invoker set search_path = ''
begin atomic
    select m.month::date, coalesce(sum(s.activity_count), 0)::bigint, coalesce(sum(s.total_duration_minutes), 0)::bigint,
           stats.hours(coalesce(sum(s.total_duration_minutes), 0)::bigint), coalesce(sum(s.approved_expenses_nok), 0)
    from generate_series(date_trunc('month', p_from::timestamp), p_to::timestamp, interval '1 month') m(month)
    left join public.coordinator_monthly_stats s on s.activity_month = m.month::date and s.coordinator_id = p_coordinator_id
    group by 1
    order by 1;
end;

create or replace function public.get_monthly_series(p_coordinator_id uuid, p_from date, p_to date)
    returns table (activity_month date, activity_count bigint, total_duration_minutes bigint, total_hours numeric,
                   approved_expenses_nok numeric)
    language plpgsql stable security invoker set search_path = '' as $$
begin
    if p_coordinator_id is null or p_from is null or p_to is null or p_to < p_from or p_to - p_from > 3660 then
        raise exception 'a coordinator and a period of at most ten years, p_from not after p_to, are needed'
            using errcode = 'invalid_parameter_value';
    end if;
    if not exists (select from public.profiles p where p.id = p_coordinator_id and p.organization_id = app.statistics_org_id()
                   and (p.id = app.profile_id() or app.profile_role() = 'org_admin')) then
        raise exception 'not your statistics' using errcode = 'insufficient_privilege';
    end if;
    return query select * from app.monthly_series(p_coordinator_id, p_from, p_to);
end $$;
comment on function public.get_monthly_series(uuid, date, date) is
    'A coordinator''s months from that of p_from to that of p_to, both included, with zeros for empty ones.';

-- The dashboard's bars. Sums the rows once, minutes before hours; through the view by day it would sum twice.
create or replace function app.get_activity_series(p_from date, p_to date, p_bucket text, p_chapter_ids uuid[])
    returns table (bucket_date date, activity_count bigint, total_hours numeric)
    language plpgsql stable security definer set search_path = ''   -- DEFINER: sums rows that nobody may read one by one
    set plan_cache_mode = force_custom_plan as $$                   -- the plan depends on how many chapters there are
#variable_conflict use_column
declare
    v_organization_id uuid := app.statistics_org_id();
    v_chapter_ids     uuid[];
begin
    if p_from is null or p_to is null or p_to < p_from or p_to - p_from > 3660
       or p_bucket is null or p_bucket not in ('day', 'week', 'month', 'year') then
        raise exception 'a period of at most ten years, and a bucket of day, week, month or year are needed'
            using errcode = 'invalid_parameter_value';
    end if;
    -- Null stands for the whole organisation: comparing each row with 1,400 chapters would cost more than the sum.
    if p_chapter_ids is not null or app.profile_role() is distinct from 'org_admin' then
        v_chapter_ids := array(select c from app.statistics_chapter_ids() c where p_chapter_ids is null or c = any (p_chapter_ids));
    end if;
    return query
        select b.bucket::date, coalesce(sum(d.activity_count), 0)::bigint, stats.hours(coalesce(sum(d.total_minutes), 0)::bigint)
        from generate_series(date_trunc(p_bucket, p_from::timestamp), p_to::timestamp, ('1 ' || p_bucket)::interval) b (bucket)
        left join (
            select r.bucket_date, sum(r.activity_count) as activity_count, sum(r.total_minutes) as total_minutes
            from stats.live_time_series_rows r
            where r.organization_id = v_organization_id and r.bucket_date between p_from and p_to
              and (v_chapter_ids is null or r.chapter_id = any (v_chapter_ids))
            group by 1
        ) d on date_trunc(p_bucket, d.bucket_date::timestamp) = b.bucket
        group by 1
        order by 1;
end $$;

create or replace function public.get_activity_series(p_from date, p_to date, p_bucket text default 'month', p_chapter_ids uuid[] default null)
    returns table (bucket_date date, activity_count bigint, total_hours numeric)
    language sql stable security invoker set search_path = ''
begin atomic
    select s.bucket_date, s.activity_count, s.total_hours from app.get_activity_series(p_from, p_to, p_bucket, p_chapter_ids) s;
end;
comment on function public.get_activity_series(date, date, text, uuid[]) is
    'Activities and hours by day, week, month or year, both ends included, zeros for empty buckets; of the named or all chapters the caller follows up.';

do $$
declare
    v_relation text;
begin
    foreach v_relation in array array['peer_mentor_stats', 'chapter_stats', 'activity_time_series', 'coordinator_monthly_stats',
                                      'mv_peer_mentor_stats', 'mv_chapter_stats', 'mv_activity_time_series'] loop
        execute format('revoke all on public.%I from public, anon, authenticated, service_role', v_relation);
        execute format('grant select on public.%I to authenticated', v_relation);
    end loop;
end $$;
revoke all on stats.live_peer_mentor_rows, stats.live_time_series_rows, stats.live_peer_mentor_stats, stats.live_chapter_stats,
    stats.live_time_series, stats.live_coordinator_rows, stats.visible_peer_mentor_stats, stats.visible_chapter_stats, stats.visible_time_series,
    stats.visible_coordinator_monthly_stats, stats.visible_mv_peer_mentor_stats, stats.visible_mv_chapter_stats,
    stats.visible_mv_activity_time_series from public, anon, authenticated, service_role;
-- reachable only through the public views: schema stats itself is not granted
grant select on stats.visible_peer_mentor_stats, stats.visible_chapter_stats, stats.visible_time_series,
    stats.visible_coordinator_monthly_stats, stats.visible_mv_peer_mentor_stats, stats.visible_mv_chapter_stats,
    stats.visible_mv_activity_time_series to authenticated;
revoke execute on function public.get_monthly_series(uuid, date, date), app.monthly_series(uuid, date, date),
    public.get_activity_series(date, date, text, uuid[]), app.get_activity_series(date, date, text, uuid[])
    from public, anon, authenticated, service_role;
grant execute on function public.get_monthly_series(uuid, date, date), app.monthly_series(uuid, date, date),
    public.get_activity_series(date, date, text, uuid[]), app.get_activity_series(date, date, text, uuid[]) to authenticated;
