-- Purpose: the two ways through the tree of units, down and up.
-- Locks: none. Data safety: new objects only.
--
-- The only place that knows how deep the tree is: five levels. So a damaged tree, which has a
-- cycle, ends every walk too. Both walk with the caller's rights: through the units that the caller
-- may read. They are functions and no views, because a walk begins at the units that are asked
-- about; a view would walk from every unit of every organisation.

create or replace function app.unit_subtree(p_unit_id uuid) returns setof uuid
    language sql stable security invoker set search_path = ''
begin atomic
    with recursive walk (unit_id, level) as (
        select p_unit_id, 1
        union all
        select u.id, w.level + 1
        from walk w
        join public.organization_units u on u.parent_id = w.unit_id
        where w.level < 5
    )
    select w.unit_id from walk w;
end;
comment on function app.unit_subtree(uuid) is 'A unit and all below it.';

create or replace function app.unit_ancestry(p_unit_ids uuid[])
    returns table (unit_id uuid, ancestor_id uuid, level integer)
    language sql stable security invoker set search_path = ''
begin atomic
    with recursive walk (unit_id, ancestor_id, parent_id, level) as (
        select u.id, u.id, u.parent_id, 1
        from public.organization_units u
        where u.id = any (p_unit_ids)
        union all
        select w.unit_id, p.id, p.parent_id, w.level + 1
        from walk w
        join public.organization_units p on p.id = w.parent_id
        where w.level < 5
    )
    select w.unit_id, w.ancestor_id, w.level from walk w;
end;
comment on function app.unit_ancestry(uuid[]) is
    'Each of the units with itself (level 1) and each of its ancestors (2 is the parent).';

create or replace function public.get_ancestor_ids(unit_id uuid) returns setof uuid
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_path uuid[] := array[get_ancestor_ids.unit_id];
    v_id   uuid;
begin
    for v_id in
        select a.ancestor_id
        from app.unit_ancestry(array[get_ancestor_ids.unit_id]) a
        where a.level > 1
        order by a.level
    loop
        if v_id = any (v_path) then
            raise warning 'the tree is damaged: the ancestors of unit % form a cycle', v_path[1];
            return;
        end if;
        v_path := v_path || v_id;
        return next v_id;
    end loop;
end $$;
comment on function public.get_ancestor_ids(uuid) is
    'The ancestors of a unit, nearest first, itself excluded; of the units the caller may read.';

revoke execute on function
    app.unit_subtree(uuid), app.unit_ancestry(uuid[]), public.get_ancestor_ids(uuid)
    from public, anon, authenticated, service_role;
grant execute on function app.unit_ancestry(uuid[]), public.get_ancestor_ids(uuid)
    to authenticated, service_role;
