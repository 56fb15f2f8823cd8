-- Purpose: what somebody should look at before a report is signed; it blocks nothing.
-- Locks: none. Data safety: reads only.
--
-- Far out is what lies more than three times the distance between the quartiles above the third one
-- (Tukey's outer fence), and is twice the third one at least, because among equals that distance is
-- nothing. So each organisation is compared with itself.

create or replace function stats.fence(p_quartiles float8[]) returns float8
    language sql immutable security invoker set search_path = ''
    return greatest(4 * p_quartiles[2] - 3 * p_quartiles[1], 2 * p_quartiles[2]);

create or replace function stats.remarks(
    p_organization_id uuid, p_period_start date, p_period_end date, p_chapter_ids uuid[],
    p_today date)
    returns table (kind text, chapter_id uuid, peer_mentor_id uuid, activity_id uuid, day date,
                   number bigint, hours numeric, expected numeric)
    language plpgsql stable security invoker set search_path = ''
    set plan_cache_mode = force_custom_plan set work_mem = '64MB' as $$
#variable_conflict use_column
begin
    return query
    with counted as materialized (
        select c.id, c.chapter_id, c.peer_mentor_id, c.activity_type_id, c.bucket_date,
               c.duration_minutes, c.participant_count, c.recorded_at
        from stats.countable_activities c
        where c.organization_id = p_organization_id
          and c.chapter_id = any (p_chapter_ids)
          and c.bucket_date >= p_period_start and c.bucket_date < p_period_end
    ), people_in_chapters as (
        select c.peer_mentor_id, c.chapter_id, count(*) as number,
               sum(c.duration_minutes) as minutes
        from counted c group by 1, 2
    ), people as (
        select p.peer_mentor_id, sum(p.number)::bigint as number, sum(p.minutes)::bigint as minutes
        from people_in_chapters p group by 1
    ), this_year as (
        select p.chapter_id, sum(p.number)::bigint as number, sum(p.minutes)::bigint as minutes,
               sum(p.minutes) / count(*) as minutes_each
        from people_in_chapters p group by 1
    ), days as (
        select c.bucket_date, count(*) as number, sum(c.duration_minutes) as minutes
        from counted c group by 1
    ), sizes as (
        -- few, so that the quartiles need no sorting of the activities
        select c.activity_type_id, c.participant_count,
               sum(count(*)) over (partition by c.activity_type_id order by c.participant_count)
                   / sum(count(*)) over (partition by c.activity_type_id) as share
        from counted c group by 1, 2
    ), types as (
        select s.activity_type_id, stats.fence(array[
                   min(s.participant_count) filter (where s.share >= 0.25),
                   min(s.participant_count) filter (where s.share >= 0.75)]) as fence
        from sizes s group by 1
    ), fences as (
        select (select stats.fence(percentile_cont('{0.25,0.75}'::float8[])
                           within group (order by p.minutes))
                from people p having count(*) >= 8) as of_people,
               (select stats.fence(percentile_cont('{0.25,0.75}'::float8[])
                           within group (order by t.minutes_each))
                from this_year t having count(*) >= 8) as of_chapters,
               (select stats.fence(percentile_cont('{0.25,0.75}'::float8[])
                           within group (order by d.number))
                from days d having count(*) >= 28) as of_days
    ), last_year as (
        select r.chapter_id, sum(r.activity_count)::bigint as number
        from stats.live_monthly_rows r   -- a period is whole months
        where r.organization_id = p_organization_id and r.chapter_id = any (p_chapter_ids)
          and r.activity_month >= (p_period_start - interval '1 year')::date
          and r.activity_month < (p_period_end - interval '1 year')::date
        group by 1
        having sum(r.activity_count) <> 0
    )
    select 'person_day', null::uuid, c.peer_mentor_id, null::uuid, c.bucket_date, count(*),
           stats.hours(sum(c.duration_minutes)), 12::numeric
    from counted c group by c.peer_mentor_id, c.bucket_date
    having sum(c.duration_minutes) > 720 or count(*) > 10
    union all
    select 'person', null, p.peer_mentor_id, null, null, p.number, stats.hours(p.minutes),
           stats.hours(f.of_people::bigint)
    from people p join fences f on p.minutes > f.of_people
    union all
    select 'chapter', t.chapter_id, null, null, null, t.number,
           stats.hours(t.minutes_each::bigint), stats.hours(f.of_chapters::bigint)
    from this_year t join fences f on t.minutes_each > f.of_chapters
    union all
    select 'day', null, null, null, d.bucket_date, d.number, stats.hours(d.minutes),
           round(f.of_days::numeric, 1)
    from days d join fences f on d.number > f.of_days and d.number > 4
    union all
    select 'participants', c.chapter_id, null, c.id, c.bucket_date, c.participant_count,
           stats.hours(c.duration_minutes), round(t.fence::numeric, 1)
    from counted c join types t on t.activity_type_id = c.activity_type_id
    where c.participant_count > 50 and c.participant_count > t.fence
    union all
    select 'last_year', u, null, null, null, coalesce(t.number, 0), stats.hours(t.minutes),
           coalesce(l.number, 0)
    from unnest(p_chapter_ids) u
    left join this_year t on t.chapter_id = u
    left join last_year l on l.chapter_id = u
    where exists (select from last_year)
      and greatest(t.number, l.number) >= 20
      and greatest(t.number, l.number) >= 3 * coalesce(least(
          coalesce(t.number, 0), coalesce(l.number, 0)), 0)
    union all
    select 'future', c.chapter_id, c.peer_mentor_id, c.id, c.bucket_date, 1,
           stats.hours(c.duration_minutes), null
    from counted c where c.bucket_date > p_today
    union all
    select 'late', c.chapter_id, null, null, max(c.bucket_date), count(*),
           stats.hours(sum(c.duration_minutes)), 90
    from counted c
    where c.recorded_at > (c.bucket_date + 91)::timestamp at time zone 'UTC'
    group by c.chapter_id;
end $$;
comment on function stats.remarks(uuid, date, date, uuid[], date) is
    'What lies far out in a period, is yet to come, or was registered more than 90 days after.';

revoke execute on function stats.fence(float8[]), stats.remarks(uuid, date, date, uuid[], date)
    from public, anon, authenticated, service_role;
