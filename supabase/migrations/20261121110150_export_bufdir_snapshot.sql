-- Purpose: the gate: nothing stale, and nothing that differs from the data, leaves.
-- Locks: none. Data safety: new objects only.

-- Whoever calls, and however: from one statement, so one snapshot of the database, the checks and
-- what may go; and from one reading of the activities.
create or replace function stats.pass_gate(
    p_organization_id uuid, p_period_start date, p_period_end date,
    out snapshot jsonb, out status jsonb, out report jsonb)
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_found record;
begin
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    select to_jsonb(b) as snapshot,
           stats.judged_snapshot(b, r.record_count, r.fingerprint, now())
               || jsonb_build_object('matches',
                      stats.saved_report(b) = r.report
                      and b.snapshot_json = app.hide_small_groups(r.report)) as status,
           r.report
    into v_found
    from public.bufdir_metric_snapshots b
    cross join lateral stats.reported(
        p_organization_id, p_period_start, p_period_end, b.mapping_version, true) r
    where b.organization_id = p_organization_id
      and b.period_start = p_period_start
      and b.period_end = p_period_end;
    if not found then
        raise exception 'there is no snapshot of this period' using errcode = 'PT404';
    end if;
    snapshot := v_found.snapshot;
    status := v_found.status;
    report := v_found.report;
    if not (status ->> 'export_allowed')::boolean then
        raise exception 'the snapshot is stale: %', status -> 'reasons'
            using errcode = 'PT409', hint = 'Compute it anew, then export.';
    end if;
    if not (status ->> 'matches')::boolean then
        raise exception 'the snapshot differs from the data'
            using errcode = 'PT409', hint = 'Compute it anew, then export.';
    end if;
end $$;
comment on function stats.pass_gate(uuid, date, date) is
    'A saved report, its verdict and its figures; refuses one that is missing (404), stale or '
    'false (409).';

create or replace function app.export_bufdir_snapshot(p_period_start date, p_period_end date)
    returns jsonb
    -- DEFINER: the audit log is granted to nobody
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_passed   record;
    v_snapshot public.bufdir_metric_snapshots;
    v_id       bigint;
    v_figures  jsonb;
begin
    perform app.require_report(app.current_org_id(), p_period_start, p_period_end,
                               'only coordinators and org admins export');
    v_passed := stats.pass_gate(app.current_org_id(), p_period_start, p_period_end);
    v_snapshot := jsonb_populate_record(v_snapshot, v_passed.snapshot);
    v_figures := app.hide_small_groups(v_passed.report);
    insert into public.bufdir_export_audit_log
        (organization_id, exported_by, snapshot_id, period_start, period_end, verdict,
         source_fingerprint, figures)
    values (app.current_org_id(), app.profile_id(), v_snapshot.id, p_period_start,
            p_period_end, v_passed.status, v_snapshot.source_fingerprint, v_figures)
    returning id into v_id;
    insert into stats.complete_exports (export_id, report)
    select v_id, v_passed.report
    where app.shown_report(v_passed.report) <> v_figures;
    return jsonb_build_object(
        'export_id', v_id,
        'snapshot', app.shown_report(v_passed.report),
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
    stats.pass_gate(uuid, date, date), app.export_bufdir_snapshot(date, date),
    public.export_bufdir_snapshot(date, date, integer)
    from public, anon, authenticated, service_role;
grant execute on function
    app.export_bufdir_snapshot(date, date), public.export_bufdir_snapshot(date, date, integer)
    to authenticated;
