-- Purpose: saved reports, which know when they are stale, and the gate that only lets fresh ones out.
-- Locks: none. Data safety: new objects only.

-- An allow-list: only aggregates, ids of organisations, units and types, codes, and names of regions may be stored.
create or replace function app.is_aggregate_only(p_value jsonb, p_key text default null) returns boolean
    language plpgsql immutable security invoker set search_path = '' as $$
declare
    v_text text := p_value #>> '{}';
begin
    case jsonb_typeof(p_value)
        when 'object' then
            return coalesce(p_key in ('categories', 'uncategorised', 'regions', 'totals'), true)
                and (select coalesce(bool_and(e.key in ('organization_id', 'period_start', 'period_end', 'mapping_version', 'categories', 'uncategorised',
                        'regions', 'totals', 'bufdir_category_code', 'activity_type_id', 'activity_type_code', 'region_unit_id', 'region_name',
                        'activity_count', 'total_hours', 'distinct_participants', 'participant_count')
                        and app.is_aggregate_only(e.value, e.key)), true) from jsonb_each(p_value) e);
        when 'array' then
            return coalesce(p_key in ('categories', 'uncategorised', 'regions'), false)
                and (select coalesce(bool_and(jsonb_typeof(i.value) = 'object' and app.is_aggregate_only(i.value, p_key)), true)
                     from jsonb_array_elements(p_value) i);
        when 'number' then
            return coalesce(p_key in ('mapping_version', 'activity_count', 'total_hours', 'distinct_participants', 'participant_count'), false);
        when 'string' then
            return coalesce(case
                when p_key in ('organization_id', 'activity_type_id', 'region_unit_id')
                    then v_text ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                when p_key in ('period_start', 'period_end') then v_text ~ '^\d{4,}-\d\d-\d\d$'
                when p_key = 'bufdir_category_code' then v_text ~ '^[A-Z0-9][A-Z0-9_.-]{0,31}$'
                when p_key = 'activity_type_code' then v_text ~ '^[a-z][a-z0-9_]{0,62}$'
                when p_key = 'region_name' then v_text !~ '\d{6}' and length(v_text) <= 200   -- no number of a person's
            end, false);
        when 'null' then
            return coalesce(p_key in ('region_unit_id', 'region_name',   -- no region; the figures of a small group
                'activity_count', 'total_hours', 'distinct_participants', 'participant_count'), false);
        else
            return false;
    end case;
end $$;
comment on function app.is_aggregate_only(jsonb, text) is 'Whether a snapshot holds nothing but the listed aggregate fields, each of its type.';

create table if not exists public.bufdir_metric_snapshots (
    id                         uuid        primary key default gen_random_uuid(),
    organization_id            uuid        not null default app.current_org_id() references public.organizations (id),
    period_start               date        not null,
    period_end                 date        not null,
    computed_at                timestamptz not null default now(),
    snapshot_generated_at      timestamptz not null default now(),
    record_count_at_generation bigint      not null check (record_count_at_generation >= 0),
    source_fingerprint         text        not null check (source_fingerprint ~ '^[0-9a-f]{32}$'),
    mapping_version            integer     not null check (mapping_version >= 0),
    snapshot_json              jsonb       not null,
    constraint bufdir_metric_snapshots_period unique (organization_id, period_start, period_end),
    constraint bufdir_metric_snapshots_period_order check (period_end >= period_start),
    constraint bufdir_metric_snapshots_whole_months check (extract(day from period_start) = 1 and extract(day from period_end) = 1),
    constraint bufdir_metric_snapshots_computed_first check (computed_at <= snapshot_generated_at),
    constraint bufdir_metric_snapshots_aggregates_only check (app.is_aggregate_only(snapshot_json))
);
comment on table public.bufdir_metric_snapshots is
    'One saved report for each organisation and period: aggregates only, no personal data. Written by save_metric_snapshot alone.';
comment on column public.bufdir_metric_snapshots.snapshot_json is
    'As every member may see it: null for the figures of groups of fewer than five people.';
comment on column public.bufdir_metric_snapshots.computed_at is 'When the figures were computed; the age counts from here.';
comment on column public.bufdir_metric_snapshots.snapshot_generated_at is 'When the row was written.';
alter table public.bufdir_metric_snapshots enable row level security;

-- An upsert renews the time of writing.
create or replace function private.stamp_snapshot() returns trigger
    language plpgsql security invoker set search_path = '' as $$
begin
    new.snapshot_generated_at := now();
    return new;
end $$;
revoke execute on function private.stamp_snapshot() from public, anon, authenticated, service_role;
create or replace trigger bufdir_metric_snapshots_stamp before insert or update on public.bufdir_metric_snapshots
    for each row execute function private.stamp_snapshot();

drop policy if exists "members read their organisation's snapshots" on public.bufdir_metric_snapshots;
create policy "members read their organisation's snapshots" on public.bufdir_metric_snapshots
    for select to authenticated using (organization_id = (select app.statistics_org_id()));
drop policy if exists "coordinators and org admins delete their organisation's snapshots" on public.bufdir_metric_snapshots;
create policy "coordinators and org admins delete their organisation's snapshots" on public.bufdir_metric_snapshots
    for delete to authenticated using (
        organization_id = (select app.statistics_org_id()) and (select app.profile_role()) in ('coordinator', 'org_admin'));

-- The report and what it rests on, from one statement, so that they agree.
create or replace function stats.computed_metric_snapshot(p_organization_id uuid, p_period_start date, p_period_end date)
    returns jsonb
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_mapping integer;
begin
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    v_mapping := coalesce(stats.current_mapping_version(p_organization_id), 0);
    return (select jsonb_build_object(
                'organization_id', p_organization_id, 'period_start', p_period_start, 'period_end', p_period_end, 'computed_at', now(),
                'record_count_at_generation', s.record_count, 'source_fingerprint', s.fingerprint, 'mapping_version', v_mapping,
                'snapshot_json', stats.bufdir_report(p_organization_id, p_period_start, p_period_end, v_mapping))
            from stats.report_source(p_organization_id, p_period_start, p_period_end, v_mapping) s);
end $$;

create or replace function app.compute_metric_snapshot(p_period_start date, p_period_end date) returns jsonb
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: sums over all chapters, after its check
declare
    v_computed jsonb;
begin
    perform app.require_report(app.current_org_id(), p_period_start, p_period_end, 'only coordinators and org admins see reports');
    v_computed := stats.computed_metric_snapshot(app.current_org_id(), p_period_start, p_period_end);
    return v_computed || jsonb_build_object('snapshot_json', app.shown_report(v_computed -> 'snapshot_json'));
end $$;
create or replace function public.compute_metric_snapshot(p_period_start date, p_period_end date) returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.compute_metric_snapshot(p_period_start, p_period_end);
comment on function public.compute_metric_snapshot(date, date) is 'A snapshot of the caller''s organisation, computed and not saved.';

-- The decision, once; p_now is an argument so that its boundaries can be tested.
create or replace function stats.snapshot_status(p_organization_id uuid, p_period_start date, p_period_end date, p_now timestamptz) returns jsonb
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_snapshot public.bufdir_metric_snapshots;
    v_source   record;
    v_mapping  integer  := coalesce(stats.current_mapping_version(p_organization_id), 0);
    v_max_age  interval := (select s.snapshot_max_age from public.organization_settings s where s.organization_id = p_organization_id);
    v_reasons  text[]   := array[]::text[];
begin
    select * into v_snapshot from public.bufdir_metric_snapshots b
    where b.organization_id = p_organization_id and b.period_start = p_period_start and b.period_end = p_period_end;
    -- with the snapshot's own mapping, so that a newer one is not taken for an edit
    select * into v_source from stats.report_source(p_organization_id, p_period_start, p_period_end, coalesce(v_snapshot.mapping_version, v_mapping));
    if v_snapshot.id is null then
        return jsonb_build_object('verdict', 'missing', 'reasons', '[]'::jsonb, 'record_count_at_generation', null,
                                  'record_count_now', v_source.record_count, 'computed_at', null, 'export_allowed', false);
    end if;
    if v_snapshot.record_count_at_generation <> v_source.record_count then
        v_reasons := v_reasons || 'record_count_changed'::text;
    elsif left(v_snapshot.source_fingerprint, 16) <> left(v_source.fingerprint, 16) then
        v_reasons := v_reasons || 'records_edited'::text;
    end if;
    if v_snapshot.computed_at < p_now - v_max_age then   -- exactly as old as allowed is fresh
        v_reasons := v_reasons || 'older_than_max_age'::text;
    end if;
    if v_snapshot.mapping_version <> v_mapping or right(v_snapshot.source_fingerprint, 16) <> right(v_source.fingerprint, 16) then
        v_reasons := v_reasons || 'mapping_changed'::text;
    end if;
    return jsonb_build_object(
        'verdict', case when v_reasons = '{}' then 'fresh' else 'stale' end, 'reasons', to_jsonb(v_reasons),
        'record_count_at_generation', v_snapshot.record_count_at_generation, 'record_count_now', v_source.record_count,
        'computed_at', v_snapshot.computed_at, 'export_allowed', v_reasons = '{}');
end $$;

create or replace function app.get_snapshot_status(p_period_start date, p_period_end date) returns jsonb
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: counts in all chapters, after its check
begin
    perform app.require_report(app.current_org_id(), p_period_start, p_period_end, null);
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    return stats.snapshot_status(app.current_org_id(), p_period_start, p_period_end, now());
end $$;
create or replace function public.get_snapshot_status(p_period_start date, p_period_end date) returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.get_snapshot_status(p_period_start, p_period_end);
comment on function public.get_snapshot_status(date, date) is
    'Whether the saved snapshot of a period is missing, fresh or stale, why, the record counts then and now, and whether it may be exported.';

create table if not exists public.bufdir_export_audit_log (
    id              bigint      generated always as identity primary key,
    organization_id uuid        not null references public.organizations (id),
    exported_by     uuid        not null references public.profiles (id),
    exported_at     timestamptz not null default now(),
    snapshot_id     uuid        not null,
    period_start    date        not null,
    period_end      date        not null,
    verdict         jsonb       not null
);
comment on table public.bufdir_export_audit_log is 'Append-only: who exported what, on which verdict. Written by export_bufdir_snapshot alone.';
create index if not exists bufdir_export_audit_log_organization_id_idx on public.bufdir_export_audit_log (organization_id, exported_at);
create index if not exists bufdir_export_audit_log_exported_by_idx on public.bufdir_export_audit_log (exported_by);
alter table public.bufdir_export_audit_log enable row level security;
drop policy if exists "coordinators and org admins read their organisation's exports" on public.bufdir_export_audit_log;
create policy "coordinators and org admins read their organisation's exports" on public.bufdir_export_audit_log
    for select to authenticated using (
        organization_id = (select app.member_org_id()) and (select app.profile_role()) in ('coordinator', 'org_admin'));

create or replace function private.refuse_change() returns trigger
    language plpgsql security invoker set search_path = '' as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create or replace trigger bufdir_export_audit_log_refuse_change before update or delete or truncate on public.bufdir_export_audit_log
    for each statement execute function private.refuse_change();

-- The gate: nothing stale, and nothing that differs from the data, leaves; whoever calls, and however.
create or replace function app.export_bufdir_snapshot(p_period_start date, p_period_end date) returns jsonb
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: the audit log is granted to nobody
declare
    v_org_id   uuid := app.current_org_id();
    v_snapshot public.bufdir_metric_snapshots;
    v_status   jsonb;
    v_report   jsonb;
    v_id       bigint;
begin
    perform app.require_report(v_org_id, p_period_start, p_period_end, 'only coordinators and org admins export');
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    -- one snapshot of the database for the checks and for what is exported
    select b.*, stats.snapshot_status(v_org_id, p_period_start, p_period_end, now())
               || jsonb_build_object('matches', stats.saved_report(b) = r.report and b.snapshot_json = app.hide_small_groups(r.report)),
           app.shown_report(r.report)
    into v_snapshot.id, v_snapshot.organization_id, v_snapshot.period_start, v_snapshot.period_end, v_snapshot.computed_at,
         v_snapshot.snapshot_generated_at, v_snapshot.record_count_at_generation, v_snapshot.source_fingerprint,
         v_snapshot.mapping_version, v_snapshot.snapshot_json, v_status, v_report
    from public.bufdir_metric_snapshots b
    cross join lateral (select stats.bufdir_report(v_org_id, p_period_start, p_period_end, b.mapping_version) as report) r
    where b.organization_id = v_org_id and b.period_start = p_period_start and b.period_end = p_period_end;
    if not found then
        raise exception 'there is no snapshot of this period' using errcode = 'PT404';
    end if;
    if not (v_status ->> 'export_allowed')::boolean then
        raise exception 'the snapshot is stale: %', v_status -> 'reasons' using errcode = 'PT409', hint = 'Compute it anew, then export.';
    end if;
    if not (v_status ->> 'matches')::boolean then
        raise exception 'the snapshot differs from the data' using errcode = 'PT409', hint = 'Compute it anew, then export.';
    end if;
    insert into public.bufdir_export_audit_log (organization_id, exported_by, snapshot_id, period_start, period_end, verdict)
    values (v_org_id, app.profile_id(), v_snapshot.id, p_period_start, p_period_end, v_status)
    returning id into v_id;
    return jsonb_build_object('export_id', v_id, 'snapshot', v_report, 'computed_at', v_snapshot.computed_at);
end $$;
create or replace function public.export_bufdir_snapshot(p_period_start date, p_period_end date) returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.export_bufdir_snapshot(p_period_start, p_period_end);
comment on function public.export_bufdir_snapshot(date, date) is
    'Records and returns an export; refuses a missing (404), stale or differing (409) snapshot. Coordinators and org admins.';

revoke all on public.bufdir_metric_snapshots, public.bufdir_export_audit_log from public, anon, authenticated, service_role;
grant select, delete on public.bufdir_metric_snapshots to authenticated;
grant select on public.bufdir_export_audit_log to authenticated;
revoke execute on function app.is_aggregate_only(jsonb, text), private.refuse_change(),
    stats.computed_metric_snapshot(uuid, date, date), app.compute_metric_snapshot(date, date),
    public.compute_metric_snapshot(date, date), stats.snapshot_status(uuid, date, date, timestamptz), app.get_snapshot_status(date, date),
    public.get_snapshot_status(date, date), app.export_bufdir_snapshot(date, date), public.export_bufdir_snapshot(date, date)
    from public, anon, authenticated, service_role;
grant execute on function app.compute_metric_snapshot(date, date), public.compute_metric_snapshot(date, date),
    app.get_snapshot_status(date, date), public.get_snapshot_status(date, date),
    app.export_bufdir_snapshot(date, date), public.export_bufdir_snapshot(date, date) to authenticated;
