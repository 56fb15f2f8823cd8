-- Purpose: people: peer mentors, coordinators and administrators.
-- Locks: none. Data safety: new objects only.

do $$
begin
    if to_regtype('public.profile_role') is null then
        create type public.profile_role as enum ('peer_mentor', 'coordinator', 'org_admin');
    end if;
end $$;

create table if not exists public.profiles (
    id              uuid                primary key references auth.users (id) on delete cascade,
    organization_id uuid                not null references public.organizations (id),
    role            public.profile_role not null,
    display_name    text                not null check (display_name <> ''),
    is_active       boolean             not null default true,
    -- written by every new assignment, so that the count against the limit queues
    assigned_at     timestamptz,
    unique (id, organization_id)
);
comment on table public.profiles is
    'Peer mentors, coordinators and administrators; one organisation each.';
create index if not exists profiles_organization_id_role_idx
    on public.profiles (organization_id, role);
alter table public.profiles enable row level security;

revoke all on public.profiles from public, anon, authenticated, service_role;
grant select (id, organization_id, role, display_name, is_active), update (display_name)
    on public.profiles to authenticated;
grant select, insert, update, delete on public.profiles to service_role;
