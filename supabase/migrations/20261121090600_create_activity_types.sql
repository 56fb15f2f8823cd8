-- Purpose: what kinds of activity an organisation registers, and the Bufdir category of each.
-- Locks: none. Data safety: new objects only.

create table if not exists public.activity_types (
    id              uuid primary key default gen_random_uuid(),
    organization_id uuid not null references public.organizations (id) on delete cascade,
    code            text not null check (code ~ '^[a-z][a-z0-9_]{0,62}$'),
    label           text not null check (label ~ '\S' and length(label) <= 200),
    unique (organization_id, code),
    unique (id, organization_id)
);
comment on table public.activity_types is 'The kinds of activity of an organisation.';
alter table public.activity_types enable row level security;

create table if not exists public.bufdir_category_mappings (
    mapping_version      integer not null check (mapping_version > 0),
    activity_type_id     uuid    not null
        references public.activity_types (id) on delete cascade,
    bufdir_category_code text    not null
        check (bufdir_category_code ~ '^[A-Z0-9][A-Z0-9_.-]{0,31}$'),
    primary key (mapping_version, activity_type_id)
);
comment on table public.bufdir_category_mappings is
    'Versioned: which Bufdir category an activity type is reported under. An unmapped type is '
    'reported as uncategorised.';
create index if not exists bufdir_category_mappings_activity_type_id_idx
    on public.bufdir_category_mappings (activity_type_id);
alter table public.bufdir_category_mappings enable row level security;

drop policy if exists "members read their organisation's activity types"
    on public.activity_types;
create policy "members read their organisation's activity types" on public.activity_types
    for select to authenticated using (organization_id = (select app.member_org_id()));

drop policy if exists "members read their organisation's category mappings"
    on public.bufdir_category_mappings;
create policy "members read their organisation's category mappings"
    on public.bufdir_category_mappings
    for select to authenticated using (
        activity_type_id in (
            select t.id from public.activity_types t
            where t.organization_id = (select app.member_org_id())));

revoke all on public.activity_types, public.bufdir_category_mappings
    from public, anon, authenticated, service_role;
grant select on public.activity_types, public.bufdir_category_mappings to authenticated;
grant select, insert, update, delete on public.activity_types, public.bufdir_category_mappings
    to service_role;
