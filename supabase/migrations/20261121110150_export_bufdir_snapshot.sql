-- Purpose: the gate: nothing stale, and nothing that differs from the data, leaves.
-- Locks: none. Data safety: new objects only.

-- Whoever calls, and however.
create or replace function app.export_bufdir_snapshot(p_period_start date, p_period_end date)
    returns jsonb
    -- DEFINER: the audit log is granted to nobody
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_org_id   uuid := app.current_org_id();
    v_found    record;
    v_snapshot public.bufdir_metric_snapshots;
    v_id       bigint;
begin
    perform app.require_report(v_org_id, p_period_start, p_period_end,
                               'only coordinators and org admins export');
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    -- one snapshot of the database for the checks and for what is exported
    select b as snapshot,
           stats.snapshot_status(v_org_id, p_period_start, p_period_end, now())
               || jsonb_build_object('matches',
                      stats.saved_report(b) = r.report
                      and b.snapshot_json = app.hide_small_groups(r.report)) as status,
           app.shown_report(r.report) as report
    into v_found
    from public.bufdir_metric_snapshots b
    cross join lateral (
        select stats.bufdir_report(
            v_org_id, p_period_start, p_period_end, b.mapping_version) as report) r
    where b.organization_id = v_org_id
      and b.period_start = p_period_start
      and b.period_end = p_period_end;
    if not found then
        raise exception 'there is no snapshot of this period' using errcode = 'PT404';
    end if;
    if not (v_found.status ->> 'export_allowed')::boolean then
        raise exception 'the snapshot is stale: %', v_found.status -> 'reasons'
            using errcode = 'PT409', hint = 'Compute it anew, then export.';
    end if;
    if not (v_found.status ->> 'matches')::boolean then
        raise exception 'the snapshot differs from the data'
            using errcode = 'PT409', hint = 'Compute it anew, then export.';
    end if;
    v_snapshot := v_found.snapshot;
    insert into public.bufdir_export_audit_log
        (organization_id, exported_by, snapshot_id, period_start, period_end, verdict)
    values (v_org_id, app.profile_id(), v_snapshot.id, p_period_start, p_period_end,
            v_found.status)
    returning id into v_id;
    return jsonb_build_object(
        'export_id', v_id,
        'snapshot', v_found.report,
        'computed_at', v_snapshot.computed_at);
end $$;

create or replace function public.export_bufdir_snapshot(
    p_period_start date default null, p_period_end date default null,
    p_year integer default null)
    returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.export_bufdir_snapshot(
        app.first_day(p_period_start, p_year), app.first_day(p_period_end, p_year + 1));
comment on function public.export_bufdir_snapshot(date, date, integer) is
    'Records and returns an export; refuses a missing (404), stale or differing (409) snapshot. '
    'Coordinators and org admins.';

revoke execute on function
    app.export_bufdir_snapshot(date, date), public.export_bufdir_snapshot(date, date, integer)
    from public, anon, authenticated, service_role;
grant execute on function
    app.export_bufdir_snapshot(date, date), public.export_bufdir_snapshot(date, date, integer)
    to authenticated;
