-- Purpose: saved reports, one for each organisation and period.
-- Locks: none. Data safety: new objects only.

create table if not exists public.bufdir_metric_snapshots (
    id                         uuid        primary key default gen_random_uuid(),
    organization_id            uuid        not null default app.current_org_id()
        references public.organizations (id),
    period_start               date        not null,
    period_end                 date        not null,
    computed_at                timestamptz not null default now(),
    snapshot_generated_at      timestamptz not null default now(),
    record_count_at_generation bigint      not null check (record_count_at_generation >= 0),
    source_fingerprint         text        not null check (source_fingerprint ~ '^[0-9a-f]{32}$'),
    mapping_version            integer     not null check (mapping_version >= 0),
    snapshot_json              jsonb       not null,
    constraint bufdir_metric_snapshots_period
        unique (organization_id, period_start, period_end),
    constraint bufdir_metric_snapshots_period_order
        check (period_end >= period_start),
    constraint bufdir_metric_snapshots_whole_months
        check (extract(day from period_start) = 1 and extract(day from period_end) = 1),
    constraint bufdir_metric_snapshots_computed_first
        check (computed_at <= snapshot_generated_at),
    constraint bufdir_metric_snapshots_aggregates_only
        check (app.is_aggregate_only(snapshot_json))
);
comment on table public.bufdir_metric_snapshots is
    'One saved report for each organisation and period: aggregates only, no personal data. Written '
    'by save_metric_snapshot alone.';
comment on column public.bufdir_metric_snapshots.snapshot_json is
    'As every member may see it: null for the figures of groups of fewer than five people.';
comment on column public.bufdir_metric_snapshots.computed_at is
    'When the figures were computed; the age counts from here.';
comment on column public.bufdir_metric_snapshots.snapshot_generated_at is
    'When the row was written.';
alter table public.bufdir_metric_snapshots enable row level security;

-- An upsert renews the time of writing.
create or replace function private.stamp_snapshot() returns trigger
    language plpgsql security invoker set search_path = '' as $$
begin
    new.snapshot_generated_at := now();
    return new;
end $$;
revoke execute on function private.stamp_snapshot()
    from public, anon, authenticated, service_role;
create or replace trigger bufdir_metric_snapshots_stamp
    before insert or update on public.bufdir_metric_snapshots
    for each row execute function private.stamp_snapshot();

drop policy if exists "members read their organisation's snapshots"
    on public.bufdir_metric_snapshots;
create policy "members read their organisation's snapshots"
    on public.bufdir_metric_snapshots
    for select to authenticated using (organization_id = (select app.statistics_org_id()));

drop policy if exists "coordinators and org admins delete their organisation's snapshots"
    on public.bufdir_metric_snapshots;
create policy "coordinators and org admins delete their organisation's snapshots"
    on public.bufdir_metric_snapshots
    for delete to authenticated using (
        organization_id = (select app.statistics_org_id())
        and (select app.profile_role()) in ('coordinator', 'org_admin'));

revoke all on public.bufdir_metric_snapshots from public, anon, authenticated, service_role;
grant select, delete on public.bufdir_metric_snapshots to authenticated;
