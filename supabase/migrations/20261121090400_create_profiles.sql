-- Purpose: people: peer mentors, coordinators and administrators.
-- Locks: none. Data safety: new objects only.

do $$
begin
    if to_regtype('public.profile_role') is null then
        create type public.profile_role as enum ('peer_mentor', 'coordinator', 'org_admin');
    end if;
end $$;

create table if not exists public.profiles (
    id              uuid                primary key,
    -- The sign-in, of the same id. What people did refers to their profile, so that a sign-in can
    -- go without it (erase_people).
    user_id         uuid                unique references auth.users (id) on delete set null,
    organization_id uuid                not null references public.organizations (id),
    role            public.profile_role not null,
    display_name    text                not null
        check (display_name ~ '\S' and length(display_name) <= 200),
    is_active       boolean             not null default true,
    -- written by every new assignment, so that the count against the limit queues
    assigned_at     timestamptz,
    erased_at       timestamptz,
    unique (id, organization_id),
    constraint profiles_sign_in_as_themselves check (user_id = id),
    constraint profiles_erased_have_no_sign_in check ((user_id is null) = (erased_at is not null)),
    constraint profiles_erased_are_inactive check (erased_at is null or not is_active)
);
comment on table public.profiles is
    'Peer mentors, coordinators and administrators; one organisation each.';
create index if not exists profiles_organization_id_role_idx
    on public.profiles (organization_id, role);
alter table public.profiles enable row level security;

-- A new profile is that of the sign-in of the same id.
create or replace function private.set_sign_in() returns trigger
    language plpgsql security invoker set search_path = '' as $$
begin
    new.user_id := new.id;
    return new;
end $$;
revoke execute on function private.set_sign_in() from public, anon, authenticated, service_role;

create or replace trigger profiles_set_sign_in before insert on public.profiles
    for each row when (new.user_id is null and new.erased_at is null)
        execute function private.set_sign_in();

revoke all on public.profiles from public, anon, authenticated, service_role;
grant select, update (display_name) on public.profiles to authenticated;
grant select, insert, update, delete on public.profiles to service_role;
