-- Purpose: who works where: assignments of profiles to chapters, within the organisation's limit.
-- Locks: none. Data safety: new objects only.

create table if not exists public.chapter_assignments (
    profile_id      uuid    not null,
    unit_id         uuid    not null,
    organization_id uuid    not null,
    is_primary      boolean not null default false,
    primary key (profile_id, unit_id),
    -- profile and chapter belong to the same organisation
    foreign key (profile_id, organization_id)
        references public.profiles (id, organization_id) on delete cascade,
    foreign key (unit_id, organization_id)
        references public.organization_units (id, organization_id) on delete cascade
);
comment on table public.chapter_assignments is
    'Which chapters a profile works in; at most organization_settings.max_chapter_assignments, '
    'one of them primary.';
create index if not exists chapter_assignments_profile_id_organization_id_idx
    on public.chapter_assignments (profile_id, organization_id);
create index if not exists chapter_assignments_unit_id_organization_id_idx
    on public.chapter_assignments (unit_id, organization_id);
create unique index if not exists chapter_assignments_one_primary_idx
    on public.chapter_assignments (profile_id) where is_primary;
alter table public.chapter_assignments enable row level security;

create or replace function private.check_chapter_assignment() returns trigger
    -- DEFINER: counts all assignments, whatever the caller may read
    language plpgsql security definer set search_path = '' as $$
declare
    v_limit integer;
    v_count integer;
begin
    -- Writing the profile's row makes concurrent inserts queue; under REPEATABLE READ the later one
    -- fails with 40001.
    update public.profiles p set assigned_at = clock_timestamp()
    where p.id = new.profile_id
    returning p.organization_id into new.organization_id;

    if (select u.kind from public.organization_units u where u.id = new.unit_id) <> 'local' then
        raise exception 'unit % is not a chapter', new.unit_id using errcode = 'check_violation';
    end if;

    select s.max_chapter_assignments into v_limit
    from public.organization_settings s
    where s.organization_id = new.organization_id;
    select count(*) into v_count
    from public.chapter_assignments a
    where a.profile_id = new.profile_id
      and a.unit_id <> new.unit_id
      -- but for the one that is exchanged
      and (tg_op = 'INSERT' or (a.profile_id, a.unit_id) <> (old.profile_id, old.unit_id));
    if v_count >= v_limit then
        raise exception 'a profile of this organisation may be assigned to at most % chapters',
                        v_limit
            using errcode = 'check_violation', constraint = 'chapter_assignments_limit',
                  hint = 'organization_settings.max_chapter_assignments';
    end if;
    return new;
end $$;
create or replace trigger chapter_assignments_check
    before insert or update of profile_id, unit_id on public.chapter_assignments
    for each row execute function private.check_chapter_assignment();

revoke execute on function private.check_chapter_assignment()
    from public, anon, authenticated, service_role;
revoke all on public.chapter_assignments from public, anon, authenticated, service_role;
grant select on public.chapter_assignments to authenticated;
grant select, insert, update, delete on public.chapter_assignments to service_role;

create or replace view stats.chapter_coordinators as
    select a.organization_id, a.unit_id as chapter_id, p.id as coordinator_id, a.is_primary
    from public.chapter_assignments a
    join public.profiles p on p.id = a.profile_id
    where p.role = 'coordinator' and p.is_active;
comment on view stats.chapter_coordinators is 'The active coordinators of each chapter, now.';
create or replace view stats.default_coordinators as
    select distinct on (c.chapter_id) c.organization_id, c.chapter_id, c.coordinator_id
    from stats.chapter_coordinators c
    order by c.chapter_id, c.is_primary desc, c.coordinator_id;
comment on view stats.default_coordinators is
    'Who follows up what nobody else does: of a chapter''s coordinators, one whose primary chapter '
    'it is, else any, but always the same.';
revoke all on stats.chapter_coordinators, stats.default_coordinators
    from public, anon, authenticated, service_role;
