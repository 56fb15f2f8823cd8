-- Purpose: a coordinator's months, in a series without gaps.
-- Locks: none. Data safety: new objects only.

-- Its body is bound when it is created, so callers need no right on schema stats to use
-- stats.hours.
create or replace function app.monthly_series(p_coordinator_id uuid, p_from date, p_to date)
    returns table (activity_month date, activity_count bigint, total_duration_minutes bigint,
                   total_hours numeric, approved_expenses_nok numeric)
    language sql stable security invoker set search_path = ''
begin atomic
    select m.month::date,
           coalesce(sum(s.activity_count), 0)::bigint,
           coalesce(sum(s.total_duration_minutes), 0)::bigint,
           stats.hours(coalesce(sum(s.total_duration_minutes), 0)::bigint),
           coalesce(sum(s.approved_expenses_nok), 0)
    from generate_series(date_trunc('month', p_from::timestamp), p_to::timestamp - interval '1 day',
                         interval '1 month') m(month)
    left join public.coordinator_monthly_stats s
        on s.activity_month = m.month::date and s.coordinator_id = p_coordinator_id
    where p_from < p_to
    group by 1
    order by 1;
end;

-- One JSON array, so that no limit on rows cuts it.
create or replace function public.get_monthly_series(
    p_coordinator_id uuid, p_from date default null, p_to date default null,
    p_year integer default null)
    returns jsonb
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_from date := app.first_day(p_from, p_year);
    v_to   date := app.first_day(p_to, p_year + 1);
begin
    if p_coordinator_id is null or v_from is null or v_to is null
       or v_to < v_from or v_to - v_from > 3660 then
        raise exception using errcode = 'invalid_parameter_value', message =
            'a coordinator and a period of at most ten years, p_from not after p_to, are needed';
    end if;
    if not exists (
        select from public.profiles p
        where p.id = p_coordinator_id
          and p.organization_id = app.statistics_org_id()
          and (p.id = app.profile_id() or app.profile_role() = 'org_admin')) then
        raise exception 'not your statistics' using errcode = 'insufficient_privilege';
    end if;
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    perform app.warn_of_end(v_to);
    return (select coalesce(jsonb_agg(m order by m.activity_month), '[]')
            from app.monthly_series(p_coordinator_id, v_from, v_to) m);
end $$;
comment on function public.get_monthly_series(uuid, date, date, integer) is
    'A coordinator''s months, from that of p_from to that of the day before p_to, or of a year; '
    'zeros for empty ones.';

revoke execute on function
    public.get_monthly_series(uuid, date, date, integer), app.monthly_series(uuid, date, date)
    from public, anon, authenticated, service_role;
grant execute on function
    public.get_monthly_series(uuid, date, date, integer), app.monthly_series(uuid, date, date)
    to authenticated;
