-- Purpose: the dashboard's bars: activities and hours by day, week, month or year.
-- Locks: none. Data safety: new objects only.

-- Sums the rows once, minutes before hours. Months that lie whole in the period come from the
-- monthly totals, the days around them from the daily ones, and what is not folded yet from the
-- log: one statement, so one snapshot.
create or replace function app.get_activity_series(
    p_from date, p_to date, p_bucket text, p_chapter_ids uuid[])
    returns table (bucket_date date, activity_count bigint, total_hours numeric)
    -- DEFINER: sums rows that nobody may read one by one
    language plpgsql stable security definer set search_path = ''
    -- the plan depends on how many chapters there are
    set plan_cache_mode = force_custom_plan
    -- after a burst the log has many empty pages: workers would start for longer than they read
    set max_parallel_workers_per_gather = 0 as $$
#variable_conflict use_column
declare
    v_organization_id uuid := app.statistics_org_id();
    v_chapter_ids     uuid[];
    v_months_from     date := date_trunc('month', p_from + interval '1 month' - interval '1 day');
    v_months_to       date := date_trunc('month', p_to);   -- excluded, as p_to is
begin
    if p_from is null or p_to is null or p_to < p_from or p_to - p_from > 3660
       or p_bucket is null or p_bucket not in ('day', 'week', 'month', 'year') then
        raise exception using errcode = 'invalid_parameter_value', message =
            'a period of at most ten years, and a bucket of day, week, month or year are needed';
    end if;
    if p_bucket in ('day', 'week') or v_months_to < v_months_from then
        v_months_to := v_months_from;   -- no month lies whole in a bucket
    end if;
    -- Null stands for the whole organisation: comparing each row with 1,400 chapters would cost
    -- more than the sum.
    if p_chapter_ids is not null or app.profile_role() is distinct from 'org_admin' then
        v_chapter_ids := array(
            select c from app.statistics_chapter_ids() c
            where p_chapter_ids is null or c = any (p_chapter_ids));
    end if;
    return query
        with days as (   -- by day first: a sum by bucket would truncate the date of every row
            select t.activity_month      as day,
                   sum(t.activity_count) as activity_count,
                   sum(t.total_minutes)  as total_minutes
            from stats.monthly_totals t
            where t.organization_id = v_organization_id
              and t.activity_month >= v_months_from and t.activity_month < v_months_to
              and (v_chapter_ids is null or t.chapter_id = any (v_chapter_ids))
            group by 1
            union all
            select t.bucket_date, sum(t.activity_count), sum(t.total_minutes)
            from stats.daily_totals t
            where t.organization_id = v_organization_id
              and t.bucket_date >= p_from and t.bucket_date < p_to
              and t.bucket_date < v_months_from
              and (v_chapter_ids is null or t.chapter_id = any (v_chapter_ids))
            group by 1
            union all
            select t.bucket_date, sum(t.activity_count), sum(t.total_minutes)
            from stats.daily_totals t
            where t.organization_id = v_organization_id
              and t.bucket_date >= v_months_from and t.bucket_date >= v_months_to
              and t.bucket_date < p_to
              and (v_chapter_ids is null or t.chapter_id = any (v_chapter_ids))
            group by 1
            union all
            select c.bucket_date, sum(c.activity_count), sum(c.total_minutes)
            from stats.activity_changes c
            where c.organization_id = v_organization_id
              and c.bucket_date >= p_from and c.bucket_date < p_to
              and (v_chapter_ids is null or c.chapter_id = any (v_chapter_ids))
            group by 1
        ), buckets as (
            select date_trunc(p_bucket, d.day::timestamp) as bucket,
                   sum(d.activity_count) as activity_count,
                   sum(d.total_minutes)  as total_minutes
            from days d
            group by 1
        )
        select b.bucket::date,
               coalesce(s.activity_count, 0)::bigint,
               stats.hours(coalesce(s.total_minutes, 0)::bigint)
        from generate_series(date_trunc(p_bucket, p_from::timestamp),
                             p_to::timestamp - interval '1 day',
                             ('1 ' || p_bucket)::interval) b (bucket)
        left join buckets s on s.bucket = b.bucket
        where p_from < p_to
        order by 1;
end $$;

-- One JSON array, so that no limit on rows cuts it.
create or replace function public.get_activity_series(
    p_from date default null, p_to date default null, p_bucket text default 'month',
    p_chapter_ids uuid[] default null, p_year integer default null)
    returns jsonb
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_from date := app.first_day(p_from, p_year);
    v_to   date := app.first_day(p_to, p_year + 1);
begin
    perform app.warn_of_end(v_to);
    return (select coalesce(jsonb_agg(s order by s.bucket_date), '[]')
            from app.get_activity_series(v_from, v_to, p_bucket, p_chapter_ids) s);
end $$;
comment on function public.get_activity_series(date, date, text, uuid[], integer) is
    'Activities and hours by day, week, month or year, from p_from to before p_to, or of a year; '
    'zeros for empty buckets; of the named or all chapters the caller follows up.';

revoke execute on function
    public.get_activity_series(date, date, text, uuid[], integer),
    app.get_activity_series(date, date, text, uuid[])
    from public, anon, authenticated, service_role;
grant execute on function
    public.get_activity_series(date, date, text, uuid[], integer),
    app.get_activity_series(date, date, text, uuid[])
    to authenticated;
