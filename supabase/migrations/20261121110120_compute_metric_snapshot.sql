-- Purpose: a report and what it rests on, from one statement, ready to be saved.
-- Locks: none. Data safety: new objects only.

create or replace function app.compute_metric_snapshot(p_period_start date, p_period_end date)
    returns jsonb
    -- DEFINER: sums over all chapters, after its check
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_org_id  uuid    := app.current_org_id();
    v_mapping integer;
begin
    perform app.require_report(v_org_id, p_period_start, p_period_end);
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    v_mapping := coalesce(stats.current_mapping_version(v_org_id), 0);
    return (
        select jsonb_build_object(
            'organization_id', v_org_id,
            'period_start', p_period_start,
            'period_end', p_period_end,
            'computed_at', now(),
            'record_count_at_generation', s.record_count,
            'source_fingerprint', s.fingerprint,
            'mapping_version', v_mapping,
            'snapshot_json',
                stats.bufdir_report(v_org_id, p_period_start, p_period_end, v_mapping))
        from stats.report_source(v_org_id, p_period_start, p_period_end, v_mapping) s);
end $$;

create or replace function public.compute_metric_snapshot(p_period_start date, p_period_end date)
    returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.compute_metric_snapshot(p_period_start, p_period_end);
comment on function public.compute_metric_snapshot(date, date) is
    'A snapshot of the caller''s organisation, computed and not saved.';

revoke execute on function
    app.compute_metric_snapshot(date, date), public.compute_metric_snapshot(date, date)
    from public, anon, authenticated, service_role;
grant execute on function
    app.compute_metric_snapshot(date, date), public.compute_metric_snapshot(date, date)
    to authenticated;
