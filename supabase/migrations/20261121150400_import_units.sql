-- Purpose: a list of units, such as from a CSV file, becomes the tree: planned, then written.
-- Locks: none. Data safety: new objects only.
--
-- A row has unit, kind, parent (by name; empty for the national one) and closed_on. Units are found
-- by name. What the list does not name stays as it is.

create or replace function app.plan_units(p_rows jsonb)
    returns table (line integer, id uuid, name text, kind text, parent_id uuid, closed_on text,
                   outcome text, problem text)
    language sql stable security invoker set search_path = ''
begin atomic
    with given as (
        select r.n::integer + 1 as line, trim(r.v ->> 'unit') as name,
               lower(trim(r.v ->> 'kind')) as kind, nullif(trim(r.v ->> 'parent'), '') as parent,
               nullif(trim(r.v ->> 'closed_on'), '') as closed_on,
               count(*) over (partition by trim(r.v ->> 'unit')) as times
        from jsonb_array_elements(p_rows) with ordinality r (v, n)
    ), known as (
        select min(u.id::text)::uuid as id, u.name, count(*) as units
        from public.organization_units u
        where u.organization_id = app.administered_org_id()
        group by u.name
    ), placed as (
        select g.*, k.units, coalesce(k.id, md5(app.administered_org_id() || g.name)::uuid) as id,
               u.kind::text as old_kind, u.parent_id as old_parent_id,
               u.closed_on as old_closed_on, u.id is null as is_new
        from given g
        left join known k on k.name = g.name
        left join public.organization_units u on u.id = k.id
    ), joined as (
        select p.*, coalesce(f.id, k.id) as parent_id, coalesce(f.kind, ku.kind::text) as above,
               coalesce(k.units, 0) as parents
        from placed p
        left join lateral (select f.id, f.kind from placed f where f.name = p.parent
                           order by f.line limit 1) f on true
        left join known k on k.name = p.parent
        left join public.organization_units ku on ku.id = k.id
    ), ranks as (
        select enumlabel::text as kind, enumsortorder as rank from pg_catalog.pg_enum
        where enumtypid = 'public.unit_kind'::regtype
    )
    select j.line, j.id, j.name, j.kind, j.parent_id, j.closed_on,
           case when j.is_new then 'insert'
                when (j.kind, j.parent_id, j.closed_on) is not distinct from
                     (j.old_kind, j.old_parent_id, j.old_closed_on::text) then 'unchanged'
                else 'update' end,
           case when coalesce(j.name, '') = '' then 'the unit has no name'
                when length(j.name) > 200 then 'the name is longer than 200 characters'
                when j.kind = 'region' and j.name ~ '\d{6}'
                    then 'the name of a region has six digits in a row, which reports do not show'
                when j.times > 1 then 'the list names this unit more than once'
                when j.units > 1 then 'several units have this name'
                when r.rank is null
                    then 'the kind must be national, region, district or local'
                when (j.parent is null) <> (j.kind = 'national')
                    then 'the national unit alone has no parent'
                when j.parent is not null and j.parent_id is null
                    then 'there is no unit of the parent''s name'
                when j.parents > 1 then 'several units have the parent''s name'
                when above.rank > r.rank or j.parent = j.name
                    then 'the parent is not above a unit of this kind'
                when j.closed_on is not null and coalesce(
                    app.to_day(j.closed_on) not between '1900-01-01' and '2099-12-31', true)
                    then 'closed_on must be a day such as 2026-12-31' end
    from joined j
    left join ranks r on r.kind = j.kind
    left join ranks above on above.kind = j.above;
end;
comment on function app.plan_units(jsonb) is
    'What a list of units would change, line by line (the first line of a file has the names of '
    'the columns), and what is wrong with it.';

create or replace function app.import_units(p_rows jsonb) returns jsonb
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_plan jsonb := (select coalesce(jsonb_agg(to_jsonb(p) order by p.line), '[]')
                     from app.plan_units(p_rows) p);
begin
    if not exists (select from jsonb_array_elements(v_plan) p
                   where p ->> 'problem' is not null) then
        -- each in one statement: the tree is checked after it
        insert into public.organization_units (id, parent_id, kind, name, closed_on)
        select p.id, p.parent_id, p.kind::public.unit_kind, p.name, p.closed_on::date
        from jsonb_to_recordset(v_plan)
             p (id uuid, parent_id uuid, kind text, name text, closed_on text, outcome text)
        where p.outcome = 'insert';
        update public.organization_units u
        set parent_id = p.parent_id, kind = p.kind::public.unit_kind,
            closed_on = p.closed_on::date
        from jsonb_to_recordset(v_plan)
             p (id uuid, parent_id uuid, kind text, closed_on text, outcome text)
        where p.outcome = 'update' and u.id = p.id;
    end if;
    return (select coalesce(jsonb_agg(p - array['id', 'kind', 'parent_id', 'closed_on']
                                      order by (p ->> 'line')::integer), '[]')
            from jsonb_array_elements(v_plan) p);
end $$;

revoke execute on function app.plan_units(jsonb), app.import_units(jsonb)
    from public, anon, authenticated, service_role;
grant execute on function app.plan_units(jsonb), app.import_units(jsonb) to authenticated;
