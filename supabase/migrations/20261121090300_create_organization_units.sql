-- Purpose: the tree of units. A chapter is a unit of kind `local`.
-- Locks: none. Data safety: new objects only.

do $$
begin
    if to_regtype('public.unit_kind') is null then
        -- the order of the labels is the order in the tree, top first
        create type public.unit_kind as enum ('national', 'region', 'district', 'local');
    end if;
end $$;

create table if not exists public.organization_units (
    id              uuid             primary key default gen_random_uuid(),
    organization_id uuid             not null references public.organizations (id) on delete cascade,
    parent_id       uuid,
    kind            public.unit_kind not null,
    name            text             not null check (name <> ''),
    unique (id, organization_id),
    -- the parent is in the same organisation
    constraint organization_units_parent_fkey foreign key (parent_id, organization_id)
        references public.organization_units (id, organization_id),
    constraint organization_units_root_is_national check ((parent_id is null) = (kind = 'national'))
);
comment on table public.organization_units is 'One tree per organisation, at most five levels: national, region, district, local.';
create index if not exists organization_units_parent_id_organization_id_idx on public.organization_units (parent_id, organization_id);
create index if not exists organization_units_organization_id_kind_idx on public.organization_units (organization_id, kind);
create unique index if not exists organization_units_one_root_idx on public.organization_units (organization_id) where parent_id is null;
alter table public.organization_units enable row level security;

-- Checked after the statement, so that a whole subtree can be inserted or moved at once.
create or replace function private.check_unit_tree() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: must see the whole tree, whatever the caller may read
declare
    v_unit    uuid;
    v_problem text;
begin
    -- Every change of a tree writes its organisation's row first. So two changes of one tree queue, and under
    -- REPEATABLE READ the second fails with 40001, instead of both passing a check that does not see the other.
    update public.organizations o set units_changed_at = clock_timestamp()
    where o.id in (select n.organization_id from new_rows n);

    with recursive climb (unit_id, ancestor_id, kind, level) as (
        select u.id, u.parent_id, u.kind, 1
        from public.organization_units u
        where u.organization_id in (select n.organization_id from new_rows n)
        union all
        select c.unit_id, p.parent_id, p.kind, c.level + 1
        from climb c
        join public.organization_units p on p.id = c.ancestor_id
        where c.level <= 5 and p.kind <= c.kind
    )
    select c.unit_id,
           case when c.level > 5 then 'the tree has more than five levels, or a cycle'
                else 'a unit stands above one of a higher kind' end
    into v_unit, v_problem
    from climb c
    where c.level > 5
       or (c.ancestor_id is not null
           and exists (select from public.organization_units p where p.id = c.ancestor_id and p.kind > c.kind))
    limit 1;

    if v_unit is not null then
        raise exception 'organization unit %: %', v_unit, v_problem using errcode = 'check_violation';
    end if;
    return null;
end $$;
revoke execute on function private.check_unit_tree() from public, anon, authenticated, service_role;

create or replace trigger organization_units_check_tree_on_insert after insert on public.organization_units
    referencing new table as new_rows
    for each statement execute function private.check_unit_tree();
create or replace trigger organization_units_check_tree_on_update after update on public.organization_units
    referencing new table as new_rows
    for each statement execute function private.check_unit_tree();

create or replace view public.chapters with (security_invoker = on) as
    select u.id, u.organization_id, u.parent_id, u.name
    from public.organization_units u
    where u.kind = 'local';
comment on view public.chapters is 'The units of kind local, filtered as organization_units is.';

revoke all on public.organization_units, public.chapters from public, anon, authenticated, service_role;
grant select on public.organization_units, public.chapters to authenticated;
grant select, insert, update, delete on public.organization_units to service_role;
grant select on public.chapters to service_role;
