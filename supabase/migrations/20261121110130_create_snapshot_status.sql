-- Purpose: whether a saved report is missing, fresh or stale, and why.
-- Locks: none. Data safety: new objects only.

-- The decision, once, from what was counted now with the snapshot's own mapping, so that another
-- version is not taken for an edit. p_now is an argument so that its boundaries can be tested.
create or replace function stats.judged_snapshot(p_snapshot public.bufdir_metric_snapshots,
    p_record_count bigint, p_fingerprint text, p_now timestamptz)
    returns jsonb
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_mapping  integer  := stats.mapping_version(   -- null: none would be right for all years
        p_snapshot.organization_id, p_snapshot.period_start, p_snapshot.period_end);
    v_max_age  interval := (
        select s.snapshot_max_age from public.organization_settings s
        where s.organization_id = p_snapshot.organization_id);
    v_reasons  text[]   := array[]::text[];
begin
    if p_snapshot.record_count_at_generation <> p_record_count then
        v_reasons := v_reasons || 'record_count_changed'::text;
    elsif left(p_snapshot.source_fingerprint, 16) <> left(p_fingerprint, 16) then
        v_reasons := v_reasons || 'records_edited'::text;
    end if;
    if p_snapshot.computed_at < p_now - v_max_age then   -- exactly as old as allowed is fresh
        v_reasons := v_reasons || 'older_than_max_age'::text;
    end if;
    if p_snapshot.mapping_version is distinct from v_mapping
       or right(p_snapshot.source_fingerprint, 16) <> right(p_fingerprint, 16) then
        v_reasons := v_reasons || 'mapping_changed'::text;
    end if;
    return jsonb_build_object(
        'verdict', case when v_reasons = '{}' then 'fresh' else 'stale' end,
        'reasons', to_jsonb(v_reasons),
        'record_count_at_generation', p_snapshot.record_count_at_generation,
        'record_count_now', p_record_count,
        'computed_at', p_snapshot.computed_at,
        'export_allowed', v_reasons = '{}',
        'warnings', app.period_warnings(p_snapshot.period_end));
end $$;

create or replace function stats.snapshot_status(
    p_organization_id uuid, p_period_start date, p_period_end date, p_now timestamptz)
    returns jsonb
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_snapshot public.bufdir_metric_snapshots;
    v_source   record;
begin
    select * into v_snapshot
    from public.bufdir_metric_snapshots b
    where b.organization_id = p_organization_id
      and b.period_start = p_period_start
      and b.period_end = p_period_end;
    select * into v_source
    from stats.report_source(
        p_organization_id, p_period_start, p_period_end, coalesce(v_snapshot.mapping_version,
            stats.mapping_version(p_organization_id, p_period_start, p_period_end)));
    if v_snapshot.id is null then
        return jsonb_build_object(
            'verdict', 'missing', 'reasons', '[]'::jsonb, 'record_count_at_generation', null,
            'record_count_now', v_source.record_count, 'computed_at', null,
            'export_allowed', false,
            'warnings', app.period_warnings(p_period_end));
    end if;
    return stats.judged_snapshot(
        v_snapshot, v_source.record_count, v_source.fingerprint, p_now);
end $$;

create or replace function app.get_snapshot_status(p_period_start date, p_period_end date)
    returns jsonb
    -- DEFINER: counts in all chapters, after its check
    language plpgsql volatile security definer set search_path = '' as $$
begin
    perform app.require_report(app.current_org_id(), p_period_start, p_period_end, null);
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    return stats.snapshot_status(app.current_org_id(), p_period_start, p_period_end, now());
end $$;

create or replace function public.get_snapshot_status(
    p_period_start date default null, p_period_end date default null,
    p_year integer default null)
    returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.get_snapshot_status(
        app.first_day(p_period_start, p_year), app.first_day(p_period_end, p_year + 1));
comment on function public.get_snapshot_status(date, date, integer) is
    'Whether the saved snapshot of a period is missing, fresh or stale, why, the record counts '
    'then and now, and whether it may be exported.';

revoke execute on function
    stats.judged_snapshot(public.bufdir_metric_snapshots, bigint, text, timestamptz),
    stats.snapshot_status(uuid, date, date, timestamptz),
    app.get_snapshot_status(date, date), public.get_snapshot_status(date, date, integer)
    from public, anon, authenticated, service_role;
grant execute on function
    app.get_snapshot_status(date, date), public.get_snapshot_status(date, date, integer)
    to authenticated;
