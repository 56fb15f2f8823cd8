-- Purpose: a list of people, such as from a CSV file: names, roles, chapters.
-- Locks: none. Data safety: new objects only.
--
-- A row has email, name, role, chapters (by name, between semicolons, the primary one first) and
-- active (yes, no). People are found by their address. Who is not in the list stays as they are.

-- The first of the chapters is the primary one.
create or replace function app.assignments_of(p_chapter_ids uuid[]) returns jsonb
    language sql immutable security invoker set search_path = ''
    return (select jsonb_object_agg(c, c = p_chapter_ids[1]) from unnest(p_chapter_ids) c);

create or replace function app.plan_people(p_rows jsonb)
    returns table (line integer, email text, id uuid, name text, role text, is_active boolean,
                   chapter_ids uuid[], is_same boolean, problem text[])
    language sql stable security invoker set search_path = ''
begin atomic
    with given as (
        select r.n::integer + 1 as line, r.v ->> 'email' as email, trim(r.v ->> 'name') as name,
               coalesce(lower(trim(r.v ->> 'role')), '') as role,
               coalesce(nullif(lower(trim(r.v ->> 'active')), ''), 'yes') as active,
               string_to_array(r.v ->> 'chapters', ';') as chapters,
               count(*) over (partition by lower(trim(r.v ->> 'email'))) as times
        from jsonb_array_elements(p_rows) with ordinality r (v, n)
    ), chapters as (
        select u.name, min(u.id::text)::uuid as id, count(*) as units
        from public.organization_units u
        where u.organization_id = app.administered_org_id() and u.kind = 'local' group by u.name
    ), placed as (
        select g.line, array_agg(c.id order by n.n) as chapter_ids,
               array_agg(trim(n.name) order by n.n) filter (where c.id is null) as unknown,
               array_agg(trim(n.name) order by n.n) filter (where c.units > 1) as ambiguous
        from given g
        cross join unnest(g.chapters) with ordinality n (name, n)
        left join chapters c on c.name = trim(n.name)
        where trim(n.name) <> ''
        group by g.line
    ), assigned as (
        select a.profile_id, jsonb_object_agg(a.unit_id, a.is_primary) as chapters
        from public.chapter_assignments a group by 1
    )
    select g.line, g.email, s.id, g.name, g.role, g.active = 'yes',
           coalesce(p.chapter_ids, '{}'),
           -- whom the list names twice may be changed by the line before
           g.times = 1 and (o.display_name, o.role::text, o.is_active, a.chapters)
               is not distinct from (g.name, g.role, g.active = 'yes',
                                     app.assignments_of(p.chapter_ids)),
           case when s.id is null then array['not_invited', g.email]
                when g.role not in ('peer_mentor', 'coordinator', 'org_admin')
                    then array['role_unknown', g.role]
                when g.active not in ('yes', 'no') then array['active_unclear', g.active]
                when coalesce(g.name, '') = '' then array['person_unnamed']
                when length(g.name) > 200 then array['name_too_long']
                when p.unknown is not null then array['chapter_unknown', p.unknown[1]]
                when p.ambiguous is not null then array['chapter_ambiguous', p.ambiguous[1]] end
    from given g
    left join placed p on p.line = g.line
    left join app.get_sign_ins() s on lower(s.email) = lower(trim(g.email))
    left join public.profiles o on o.id = s.id
    left join assigned a on a.profile_id = s.id;
end;
comment on function app.plan_people(jsonb) is
    'Whom the lines of a list name, as what, in which chapters, whether that is so already, and '
    'what is wrong with them.';

-- Whether anything changed.
create or replace function app.assign_chapters(p_profile_id uuid, p_chapter_ids uuid[])
    returns boolean
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_before jsonb := (select jsonb_object_agg(a.unit_id, a.is_primary)
                       from public.chapter_assignments a where a.profile_id = p_profile_id);
begin
    if v_before is not distinct from app.assignments_of(p_chapter_ids) then
        return false;
    end if;
    if v_before is not null then
        delete from public.chapter_assignments a
        where a.profile_id = p_profile_id and a.unit_id <> all (p_chapter_ids);
        update public.chapter_assignments a set is_primary = false
        where a.profile_id = p_profile_id and a.is_primary
          and a.unit_id is distinct from p_chapter_ids[1];
    end if;
    insert into public.chapter_assignments (profile_id, unit_id, is_primary)
    select p_profile_id, c, c = p_chapter_ids[1] from unnest(p_chapter_ids) c
    where not coalesce(v_before, '{}') ? c::text;
    if v_before ? p_chapter_ids[1]::text then
        update public.chapter_assignments a set is_primary = true
        where a.profile_id = p_profile_id and a.unit_id = p_chapter_ids[1] and not a.is_primary;
    end if;
    return true;
end $$;

-- 'insert', 'update' or 'unchanged'; what the database refuses is raised.
create or replace function app.import_person(p_id uuid, p_name text, p_role public.profile_role,
    p_is_active boolean, p_chapter_ids uuid[])
    returns text
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_old      public.profiles;
    v_assigned boolean;
begin
    select p.id, p.display_name, p.role, p.is_active
    into v_old.id, v_old.display_name, v_old.role, v_old.is_active
    from public.profiles p where p.id = p_id;
    perform app.save_person(p_id, p_name, p_role, p_is_active);
    v_assigned := app.assign_chapters(p_id, p_chapter_ids);
    return case when v_old.id is null then 'insert'
                when v_assigned or (v_old.display_name, v_old.role, v_old.is_active)
                     is distinct from (p_name, p_role, p_is_active)
                then 'update' else 'unchanged' end;
end $$;

revoke execute on function
    app.assignments_of(uuid[]), app.plan_people(jsonb), app.assign_chapters(uuid, uuid[]),
    app.import_person(uuid, text, public.profile_role, boolean, uuid[])
    from public, anon, authenticated, service_role;
grant execute on function
    app.assignments_of(uuid[]), app.plan_people(jsonb), app.assign_chapters(uuid, uuid[]),
    app.import_person(uuid, text, public.profile_role, boolean, uuid[]) to authenticated;
