-- Purpose: a report and what it rests on, from one statement, ready to be saved.
-- Locks: none. Data safety: new objects only.

create or replace function stats.computed_metric_snapshot(
    p_organization_id uuid, p_period_start date, p_period_end date)
    returns jsonb
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_mapping integer;
begin
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    v_mapping := stats.require_mapping_version(p_organization_id, p_period_start, p_period_end);
    return (
        select jsonb_build_object(
            'organization_id', p_organization_id,
            'period_start', p_period_start,
            'period_end', p_period_end,
            'computed_at', now(),
            'record_count_at_generation', s.record_count,
            'source_fingerprint', s.fingerprint,
            'mapping_version', v_mapping,
            'snapshot_json', s.report)
        from stats.reported(
            p_organization_id, p_period_start, p_period_end, v_mapping, true) s);
end $$;

create or replace function app.compute_metric_snapshot(p_period_start date, p_period_end date)
    returns jsonb
    -- DEFINER: sums over all chapters, after its check
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_computed jsonb;
begin
    perform app.require_report(app.current_org_id(), p_period_start, p_period_end,
                               'only coordinators and org admins see reports');
    v_computed := stats.computed_metric_snapshot(
        app.current_org_id(), p_period_start, p_period_end);
    return v_computed || jsonb_build_object(
        'snapshot_json', app.shown_report(v_computed -> 'snapshot_json'));
end $$;

create or replace function public.compute_metric_snapshot(
    p_period_start date default null, p_period_end date default null,
    p_year integer default null)
    returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.compute_metric_snapshot(
        app.first_day(p_period_start, p_year), app.first_day(p_period_end, p_year + 1));
comment on function public.compute_metric_snapshot(date, date, integer) is
    'A snapshot of the caller''s organisation, computed and not saved.';

revoke execute on function
    stats.computed_metric_snapshot(uuid, date, date),
    app.compute_metric_snapshot(date, date), public.compute_metric_snapshot(date, date, integer)
    from public, anon, authenticated, service_role;
grant execute on function
    app.compute_metric_snapshot(date, date), public.compute_metric_snapshot(date, date, integer)
    to authenticated;
