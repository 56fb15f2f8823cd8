-- Purpose: the record of exports: who exported what, on which verdict. Nobody can change it.
-- Locks: none. Data safety: new objects only.

create table if not exists public.bufdir_export_audit_log (
    id                 bigint      generated always as identity primary key,
    organization_id    uuid        not null references public.organizations (id),
    exported_by        uuid        not null references public.profiles (id),
    exported_at        timestamptz not null default now(),
    snapshot_id        uuid,       -- of saved figures; null where a version was exported
    period_start       date        not null,
    period_end         date        not null,
    verdict            jsonb       not null,
    source_fingerprint text        not null,
    figures            jsonb       not null
);
comment on table public.bufdir_export_audit_log is
    'Append-only: who exported what, on which verdict. Written by exporting alone.';
comment on column public.bufdir_export_audit_log.figures is
    'What was exported, as coordinators may see it.';
create index if not exists bufdir_export_audit_log_organization_id_idx
    on public.bufdir_export_audit_log (organization_id, exported_at);
create index if not exists bufdir_export_audit_log_exported_by_idx
    on public.bufdir_export_audit_log (exported_by);
alter table public.bufdir_export_audit_log enable row level security;

drop policy if exists "coordinators and org admins read their organisation's exports"
    on public.bufdir_export_audit_log;
create policy "coordinators and org admins read their organisation's exports"
    on public.bufdir_export_audit_log
    for select to authenticated using (
        organization_id = (select app.member_org_id())
        and (select app.profile_role()) in ('coordinator', 'org_admin'));

create or replace function private.refuse_change() returns trigger
    language plpgsql security invoker set search_path = '' as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create or replace trigger bufdir_export_audit_log_refuse_change
    before update or delete or truncate on public.bufdir_export_audit_log
    for each statement execute function private.refuse_change();

-- Only where it differs from what every coordinator may see.
create table if not exists stats.complete_exports (
    export_id bigint primary key,
    report    jsonb  not null
);
comment on table stats.complete_exports is
    'What was exported with the figures of small groups, to whom may see them.';
alter table stats.complete_exports enable row level security;   -- deny-all: no policy
create or replace trigger complete_exports_refuse_change
    before update or delete or truncate on stats.complete_exports
    for each statement execute function private.refuse_change();

revoke all on stats.complete_exports from public, anon, authenticated, service_role;
revoke all on public.bufdir_export_audit_log from public, anon, authenticated, service_role;
grant select on public.bufdir_export_audit_log to authenticated;
revoke execute on function private.refuse_change()
    from public, anon, authenticated, service_role;
