-- Purpose: the sign-off as the API offers it, and the list of versions.
-- Locks: none. Data safety: new objects only.

create or replace function public.approve_report(version uuid) returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.approve_report(version);
comment on function public.approve_report(uuid) is
    'Approves a version that is still true: by somebody else than who prepared it, unless the '
    'organisation has switched two_person_sign_off off. Coordinators and org admins.';

create or replace function public.send_report(version uuid) returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.send_report(version);
comment on function public.send_report(uuid) is
    'Notes that an approved version that is still true was sent. Coordinators and org admins.';

create or replace function app.get_report_versions(p_period_start date, p_period_end date)
    returns jsonb
    -- DEFINER: the complete figures are granted to nobody
    language plpgsql stable security definer set search_path = '' as $$
begin
    perform app.require_report_access(app.current_org_id(), p_period_start, p_period_end,
                                      'only coordinators and org admins see reports');
    return coalesce((
        select jsonb_agg(stats.shown_version(v) order by v.version desc)
        from public.bufdir_report_versions v
        where v.organization_id = app.current_org_id()
          and v.period_start = p_period_start and v.period_end = p_period_end), '[]');
end $$;
create or replace function public.get_report_versions(
    p_period_start date default null, p_period_end date default null,
    p_year integer default null)
    returns jsonb
    language sql stable security invoker set search_path = ''
    return app.get_report_versions(
        app.first_day(p_period_start, p_year), app.first_day(p_period_end, p_year + 1));
comment on function public.get_report_versions(date, date, integer) is
    'The versions of a period''s report, newest first, and who signed them. Coordinators and org '
    'admins; only the latter see groups of fewer than five people.';

revoke execute on function public.approve_report(uuid), public.send_report(uuid),
    app.get_report_versions(date, date), public.get_report_versions(date, date, integer)
    from public, anon, authenticated, service_role;
grant execute on function public.approve_report(uuid), public.send_report(uuid),
    app.get_report_versions(date, date), public.get_report_versions(date, date, integer)
    to authenticated;
