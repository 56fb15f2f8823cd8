-- Purpose: do the dashboard and the report say the same, and is the organisation on track?
-- Locks: none. Data safety: new objects only.

-- The figures of both sides from one statement. The dashboard's come from the live views, the
-- report's from the activities.
create or replace function stats.alignment_figures(p_organization_id uuid, p_year integer)
    returns jsonb
    language sql stable security invoker set search_path = '' as $$
    select jsonb_build_object(
        'report', stats.bufdir_report(
            p_organization_id, make_date(p_year, 1, 1), make_date(p_year + 1, 1, 1),
            stats.mapping_version(p_organization_id, p_year)),
        'dashboard', jsonb_build_object(
            'activity_time_series', (
                select jsonb_build_object(
                    'activity_count', coalesce(sum(l.activity_count), 0),
                    'participant_count', coalesce(sum(l.participant_count), 0),
                    'total_hours', stats.hours(coalesce(sum(l.total_minutes), 0)::bigint))
                from (   -- stats.live_time_series, summed once
                    select t.organization_id, t.bucket_date, t.activity_count, t.total_minutes,
                           t.participant_count
                    from stats.daily_totals t
                    union all
                    select c.organization_id, c.bucket_date, c.activity_count, c.total_minutes,
                           c.participant_count
                    from stats.activity_changes c
                ) l
                where l.organization_id = p_organization_id
                  and l.bucket_date >= make_date(p_year, 1, 1)
                  and l.bucket_date < make_date(p_year + 1, 1, 1)),
            'hierarchy', (
                select stats.hierarchy_summary(u.id, p_year)
                from public.organization_units u
                where u.organization_id = p_organization_id and u.parent_id is null)),
        'thresholds', coalesce((
            select jsonb_agg(
                jsonb_build_object('bufdir_category_code', t.bufdir_category_code,
                                   'minimum_activity_count', t.minimum_activity_count,
                                   'at_risk_ratio', t.at_risk_ratio)
                order by t.bufdir_category_code)
            from (
                select distinct on (b.bufdir_category_code) b.*
                from public.bufdir_thresholds b
                where b.organization_id = p_organization_id and b.valid_from_year <= p_year
                order by b.bufdir_category_code, b.valid_from_year desc
            ) t
            where t.minimum_activity_count > 0), '[]'))
$$;
comment on function stats.alignment_figures(uuid, integer) is
    'What the dashboard and the report say about a year, for the alignment check.';

create or replace function app.get_bufdir_alignment(p_year integer) returns jsonb
    -- DEFINER: sums over all chapters, after its check
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_figures jsonb;
    v_report  jsonb;
begin
    if p_year is null or p_year not between 2000 and 2099 then
        raise exception 'the year must be between 2000 and 2099'
            using errcode = 'invalid_parameter_value';
    end if;
    perform app.require_report(
        app.current_org_id(), make_date(p_year, 1, 1), make_date(p_year + 1, 1, 1),
        'only coordinators and org admins check the alignment');
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    v_figures := stats.alignment_figures(app.current_org_id(), p_year);
    if app.reads_whole_organization() then
        return v_figures;
    end if;
    -- The summary of the national unit is refused here as anywhere, and what the report hides is
    -- not told beside it.
    v_report := app.shown_report(v_figures -> 'report');
    return v_figures || jsonb_build_object('report', v_report, 'dashboard', jsonb_build_object(
        'activity_time_series', case when v_report #> '{totals,activity_count}' <> 'null'
                                     then v_figures #> '{dashboard,activity_time_series}' end,
        'hierarchy', null));
end $$;

create or replace function public.get_bufdir_alignment(p_year integer) returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.get_bufdir_alignment(p_year);
comment on function public.get_bufdir_alignment(integer) is
    'What the dashboard and the report of the caller''s organisation say about a year. '
    'Coordinators and org admins.';

revoke execute on function
    stats.alignment_figures(uuid, integer),
    app.get_bufdir_alignment(integer), public.get_bufdir_alignment(integer)
    from public, anon, authenticated, service_role;
grant execute on function
    app.get_bufdir_alignment(integer), public.get_bufdir_alignment(integer)
    to authenticated;
