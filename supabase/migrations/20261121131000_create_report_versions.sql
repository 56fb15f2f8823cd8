-- Purpose: what was reported: versions that are written once, signed once, and never changed.
-- Locks: brief, ACCESS EXCLUSIVE on organization_settings. Data safety: new objects only.

alter table public.organization_settings
    add column if not exists two_person_sign_off boolean not null default true;
comment on column public.organization_settings.two_person_sign_off is
    'Whether a report is approved by somebody else than who prepared it.';

create table if not exists public.bufdir_report_versions (
    id                 uuid        primary key default gen_random_uuid(),
    organization_id    uuid        not null references public.organizations (id),
    position           bigint      not null,
    period_start       date        not null,
    period_end         date        not null,
    version            integer     not null,
    snapshot_json      jsonb       not null check (app.is_aggregate_only(snapshot_json)),
    complete_hash      text        not null,
    record_count       bigint      not null,
    source_fingerprint text        not null,
    mapping_version    integer     not null,
    mapping            jsonb       not null,
    counting_rule      jsonb       not null,
    prepared_by        uuid        not null references public.profiles (id),
    prepared_at        timestamptz not null default now(),
    previous_hash      text        not null,
    hash               text        not null,
    approved_by        uuid        references public.profiles (id),
    approved_at        timestamptz,
    sent_by            uuid        references public.profiles (id),
    sent_at            timestamptz,
    signed_hash        text,
    unique (organization_id, position),
    unique (organization_id, period_start, period_end, version),
    constraint bufdir_report_versions_steps check (
        (approved_by is null) = (approved_at is null) and (sent_by is null) = (sent_at is null)
        and (sent_at is null or approved_at is not null)
        and (signed_hash is null) = (approved_at is null))
);
comment on table public.bufdir_report_versions is
    'What was reported to Bufdir, or was meant to be. Never changed, but for the two signatures, '
    'each once. Written by prepare_report, approve_report and send_report alone.';
comment on column public.bufdir_report_versions.position is
    'Its place in the chain of its organisation, from 1 on.';
comment on column public.bufdir_report_versions.snapshot_json is
    'As coordinators may see it: null for the figures of groups of fewer than five people.';
comment on column public.bufdir_report_versions.complete_hash is
    'SHA-256 of the same with every figure, which is in stats.complete_versions.';
comment on column public.bufdir_report_versions.mapping is
    'The activity types and their categories, as they were.';
comment on column public.bufdir_report_versions.counting_rule is 'What counted, as it was.';
comment on column public.bufdir_report_versions.prepared_at is
    'When the figures were right: they were compared with the activities.';
comment on column public.bufdir_report_versions.hash is
    'SHA-256 of all above it and of the hash before, so that none can be changed or left out.';
comment on column public.bufdir_report_versions.signed_hash is
    'SHA-256 of hash and of who signed when.';
create index if not exists bufdir_report_versions_prepared_by_idx
    on public.bufdir_report_versions (prepared_by);
create index if not exists bufdir_report_versions_approved_by_idx
    on public.bufdir_report_versions (approved_by);
create index if not exists bufdir_report_versions_sent_by_idx
    on public.bufdir_report_versions (sent_by);
alter table public.bufdir_report_versions enable row level security;

drop policy if exists "coordinators and org admins read their organisation's reports"
    on public.bufdir_report_versions;
create policy "coordinators and org admins read their organisation's reports"
    on public.bufdir_report_versions
    for select to authenticated using (
        organization_id = (select app.statistics_org_id())
        and (select app.profile_role()) in ('coordinator', 'org_admin'));

create or replace trigger bufdir_report_versions_refuse_removal
    before delete or truncate on public.bufdir_report_versions
    for each statement execute function private.refuse_change();

revoke all on public.bufdir_report_versions from public, anon, authenticated, service_role;
grant select on public.bufdir_report_versions to authenticated;

create table if not exists stats.complete_versions (
    version_id uuid  primary key references public.bufdir_report_versions (id),
    report     jsonb not null check (app.is_aggregate_only(report))
);
comment on table stats.complete_versions is 'What was reported, with the figures of small groups.';
alter table stats.complete_versions enable row level security;   -- deny-all: no policy
create or replace trigger complete_versions_refuse_change
    before update or delete or truncate on stats.complete_versions
    for each statement execute function private.refuse_change();
revoke all on stats.complete_versions from public, anon, authenticated, service_role;
