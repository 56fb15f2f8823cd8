-- Purpose: the tree stays a tree: no cycle, not too deep, no unit above one of a higher kind.
-- Locks: brief, SHARE ROW EXCLUSIVE on organization_units. Data safety: new objects only.

-- Checked after the statement, so that a whole subtree can be inserted or moved at once.
create or replace function private.check_unit_tree() returns trigger
    -- DEFINER: must see the whole tree, whatever the caller may read
    language plpgsql security definer set search_path = '' as $$
declare
    v_unit    uuid;
    v_problem text;
begin
    -- Every change of a tree writes its organisation's row first. So two changes of one tree queue,
    -- and under REPEATABLE READ the second fails with 40001, instead of both passing a check that
    -- does not see the other.
    update public.organizations o set units_changed_at = clock_timestamp()
    where o.id in (select n.organization_id from new_rows n);

    select u.id,
           case when p.kind > u.kind then 'a unit stands above one of a higher kind'
                else 'the tree has more than five levels, or a cycle' end
    into v_unit, v_problem
    from public.organization_units u
    left join public.organization_units p on p.id = u.parent_id
    where u.organization_id in (select n.organization_id from new_rows n)
      and (p.kind > u.kind
           -- a walk up that is deep enough for every tree does not reach the root
           or u.id not in (
               select a.unit_id
               from app.unit_ancestry(array(
                   select t.id from public.organization_units t
                   where t.organization_id in (select n.organization_id from new_rows n))) a
               join public.organization_units r on r.id = a.ancestor_id
               where r.parent_id is null))
    order by p.kind > u.kind desc nulls last
    limit 1;

    if found then
        raise exception 'organization unit %: %', v_unit, v_problem
            using errcode = 'check_violation';
    end if;
    return null;
end $$;
revoke execute on function private.check_unit_tree()
    from public, anon, authenticated, service_role;

create or replace trigger organization_units_check_tree_on_insert
    after insert on public.organization_units
    referencing new table as new_rows
    for each statement execute function private.check_unit_tree();
create or replace trigger organization_units_check_tree_on_update
    after update on public.organization_units
    referencing new table as new_rows
    for each statement execute function private.check_unit_tree();
