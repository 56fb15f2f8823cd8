-- Purpose: do the dashboard and the report say the same, and is the organisation on track?
-- Locks: none. Data safety: new objects only.

create table if not exists public.bufdir_thresholds (
    organization_id        uuid    not null references public.organizations (id) on delete cascade,
    period_year            integer not null check (period_year between 2000 and 2099),
    bufdir_category_code   text    not null,
    minimum_activity_count bigint  not null check (minimum_activity_count >= 0),
    at_risk_ratio          numeric not null default 0.8 check (at_risk_ratio between 0 and 1),
    primary key (organization_id, period_year, bufdir_category_code)
);
comment on table public.bufdir_thresholds is 'How many activities of a category an organisation must report in a year.';
comment on column public.bufdir_thresholds.at_risk_ratio is 'From this share of the minimum on at_risk; below it below_threshold; from the minimum on on_track.';
alter table public.bufdir_thresholds enable row level security;
drop policy if exists "members read their organisation's thresholds" on public.bufdir_thresholds;
create policy "members read their organisation's thresholds" on public.bufdir_thresholds
    for select to authenticated using (organization_id = (select app.member_org_id()));

-- The figures of both sides from one statement. The dashboard's come from the live views, the report's from the activities.
create or replace function stats.alignment_figures(p_organization_id uuid, p_year integer) returns jsonb
    language sql stable security invoker set search_path = '' as $$
    select jsonb_build_object(
        'report', stats.bufdir_report(p_organization_id, make_date(p_year, 1, 1), make_date(p_year + 1, 1, 1),
                                      coalesce(stats.current_mapping_version(p_organization_id), 0)),
        'dashboard', jsonb_build_object(
            'activity_time_series', (
                select jsonb_build_object('activity_count', coalesce(sum(l.activity_count), 0), 'participant_count', coalesce(sum(l.participant_count), 0),
                                          'total_hours', stats.hours(coalesce(sum(l.total_minutes), 0)::bigint))
                from stats.live_time_series l
                where l.organization_id = p_organization_id and l.bucket_date >= make_date(p_year, 1, 1) and l.bucket_date < make_date(p_year + 1, 1, 1)),
            'hierarchy', (
                select stats.hierarchy_summary(u.id, p_year) from public.organization_units u
                where u.organization_id = p_organization_id and u.parent_id is null)),
        'thresholds', coalesce((
            select jsonb_agg(jsonb_build_object('bufdir_category_code', t.bufdir_category_code, 'minimum_activity_count', t.minimum_activity_count,
                                                'at_risk_ratio', t.at_risk_ratio) order by t.bufdir_category_code)
            from public.bufdir_thresholds t where t.organization_id = p_organization_id and t.period_year = p_year), '[]'))
$$;
comment on function stats.alignment_figures(uuid, integer) is 'What the dashboard and the report say about a year, for the alignment check.';

create or replace function app.get_bufdir_alignment(p_year integer) returns jsonb
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: sums over all chapters, after its check
declare
    v_figures jsonb;
    v_report  jsonb;
begin
    if p_year is null or p_year not between 2000 and 2099 then
        raise exception 'the year must be between 2000 and 2099' using errcode = 'invalid_parameter_value';
    end if;
    perform app.require_report(app.current_org_id(), make_date(p_year, 1, 1), make_date(p_year + 1, 1, 1),
                               'only coordinators and org admins check the alignment');
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    v_figures := stats.alignment_figures(app.current_org_id(), p_year);
    if app.reads_whole_organization() then
        return v_figures;
    end if;
    -- The summary of the national unit is refused here as anywhere, and what the report hides is not told beside it.
    v_report := app.shown_report(v_figures -> 'report');
    return v_figures || jsonb_build_object('report', v_report, 'dashboard', jsonb_build_object(
        'activity_time_series', case when v_report #> '{totals,activity_count}' <> 'null'
                                     then v_figures #> '{dashboard,activity_time_series}' end,
        'hierarchy', null));
end $$;
create or replace function public.get_bufdir_alignment(p_year integer) returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.get_bufdir_alignment(p_year);
comment on function public.get_bufdir_alignment(integer) is 'What the dashboard and the report of the caller''s organisation say about a year. Coordinators and org admins.';

revoke all on public.bufdir_thresholds from public, anon, authenticated, service_role;
grant select on public.bufdir_thresholds to authenticated;
grant select, insert, update, delete on public.bufdir_thresholds to service_role;
revoke execute on function stats.alignment_figures(uuid, integer), app.get_bufdir_alignment(integer), public.get_bufdir_alignment(integer)
    from public, anon, authenticated, service_role;
grant execute on function app.get_bufdir_alignment(integer), public.get_bufdir_alignment(integer) to authenticated;
