-- Purpose: who works where: profiles and their assignments to chapters.
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
    display_name    text                not null check (display_name <> ''),
    is_active       boolean             not null default true,
    -- touched by every new assignment: serialises the count against the limit
    assigned_at     timestamptz,
    erased_at       timestamptz,
    unique (id, organization_id),
    constraint profiles_sign_in_as_themselves check (user_id = id),
    constraint profiles_erased_have_no_sign_in check ((user_id is null) = (erased_at is not null)),
    constraint profiles_erased_are_inactive check (erased_at is null or not is_active)
);
comment on table public.profiles is 'Peer mentors, coordinators and administrators; one organisation each.';
create index if not exists profiles_organization_id_role_idx on public.profiles (organization_id, role);
alter table public.profiles enable row level security;

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

create table if not exists public.chapter_assignments (
    profile_id      uuid    not null,
    unit_id         uuid    not null,
    organization_id uuid    not null,
    is_primary      boolean not null default false,
    primary key (profile_id, unit_id),
    -- profile and chapter belong to the same organisation
    foreign key (profile_id, organization_id) references public.profiles (id, organization_id) on delete cascade,
    foreign key (unit_id, organization_id) references public.organization_units (id, organization_id) on delete cascade
);
comment on table public.chapter_assignments is 'Which chapters a profile works in; at most organization_settings.max_chapter_assignments, one of them primary.';
create index if not exists chapter_assignments_profile_id_organization_id_idx on public.chapter_assignments (profile_id, organization_id);
create index if not exists chapter_assignments_unit_id_organization_id_idx on public.chapter_assignments (unit_id, organization_id);
create unique index if not exists chapter_assignments_one_primary_idx on public.chapter_assignments (profile_id) where is_primary;
alter table public.chapter_assignments enable row level security;

create or replace function private.check_chapter_assignment() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: counts all assignments, whatever the caller may read
declare
    v_limit integer;
    v_count integer;
begin
    -- Writing the profile's row makes concurrent inserts queue; under REPEATABLE READ the later one fails with 40001.
    update public.profiles p set assigned_at = clock_timestamp()
    where p.id = new.profile_id
    returning p.organization_id into new.organization_id;

    if (select u.kind from public.organization_units u where u.id = new.unit_id) <> 'local' then
        raise exception 'unit % is not a chapter', new.unit_id using errcode = 'check_violation';
    end if;

    select s.max_chapter_assignments into v_limit
    from public.organization_settings s where s.organization_id = new.organization_id;
    select count(*) into v_count
    from public.chapter_assignments a
    where a.profile_id = new.profile_id and a.unit_id <> new.unit_id
      and (tg_op = 'INSERT' or (a.profile_id, a.unit_id) <> (old.profile_id, old.unit_id));   -- the one that is exchanged
    if v_count >= v_limit then
        raise exception 'a profile of this organisation may be assigned to at most % chapters', v_limit
            using errcode = 'check_violation', constraint = 'chapter_assignments_limit',
                  hint = 'organization_settings.max_chapter_assignments';
    end if;
    return new;
end $$;
revoke execute on function private.check_chapter_assignment() from public, anon, authenticated, service_role;

create or replace trigger chapter_assignments_check before insert or update of profile_id, unit_id on public.chapter_assignments
    for each row execute function private.check_chapter_assignment();

-- A chapter that is worked in stays a chapter: its assignments and numbers would vanish from the app.
create or replace function private.check_chapter_stays() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: as above
begin
    if exists (select from public.chapter_assignments a where a.unit_id = new.id) then
        raise exception 'unit % has assignments and stays a chapter', new.id using errcode = 'check_violation';
    end if;
    return new;
end $$;
revoke execute on function private.check_chapter_stays() from public, anon, authenticated, service_role;
create or replace trigger organization_units_check_chapter_stays before update of kind on public.organization_units
    for each row when (old.kind = 'local' and new.kind <> 'local') execute function private.check_chapter_stays();

revoke all on public.profiles, public.chapter_assignments from public, anon, authenticated, service_role;
grant select (id, organization_id, role, display_name, is_active, erased_at), update (display_name) on public.profiles to authenticated;
grant select on public.chapter_assignments to authenticated;
grant select, insert, update, delete on public.profiles, public.chapter_assignments to service_role;
