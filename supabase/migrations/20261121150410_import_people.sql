-- Purpose: a list of people, such as from a CSV file: names, roles, chapters.
-- Locks: none. Data safety: new objects only.
--
-- A row has email, name, role, chapters (by name, between semicolons, the primary one first) and
-- active (yes, no). People are found by their address. Who is not in the list stays as they are.

create or replace function app.chapters_of_names(p_names text) returns uuid[]
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_chapters uuid[] := array[]::uuid[];
    v_found    uuid[];
    v_name     text;
begin
    foreach v_name in array string_to_array(coalesce(p_names, ''), ';') loop
        continue when trim(v_name) = '';
        v_found := array(select u.id from public.organization_units u
                         where u.organization_id = app.administered_org_id()
                           and u.kind = 'local' and u.name = trim(v_name));
        if cardinality(v_found) <> 1 then
            raise exception '%', case cardinality(v_found)
                when 0 then format('there is no chapter "%s"', trim(v_name))
                else format('several chapters are called "%s"', trim(v_name)) end
                using errcode = 'no_data_found';
        end if;
        v_chapters := v_chapters || v_found;
    end loop;
    return v_chapters;
end $$;

-- Whether anything changed.
create or replace function app.assign_chapters(p_profile_id uuid, p_chapter_ids uuid[])
    returns boolean
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_before jsonb := (select jsonb_object_agg(a.unit_id, a.is_primary)
                       from public.chapter_assignments a where a.profile_id = p_profile_id);
begin
    delete from public.chapter_assignments a
    where a.profile_id = p_profile_id and a.unit_id <> all (p_chapter_ids);
    update public.chapter_assignments a set is_primary = false
    where a.profile_id = p_profile_id and a.is_primary
      and a.unit_id is distinct from p_chapter_ids[1];
    insert into public.chapter_assignments (profile_id, unit_id, is_primary)
    select p_profile_id, c, c = p_chapter_ids[1] from unnest(p_chapter_ids) c
    where c not in (select a.unit_id from public.chapter_assignments a
                    where a.profile_id = p_profile_id);
    update public.chapter_assignments a set is_primary = true
    where a.profile_id = p_profile_id and a.unit_id = p_chapter_ids[1] and not a.is_primary;
    return v_before is distinct from (
        select jsonb_object_agg(a.unit_id, a.is_primary)
        from public.chapter_assignments a where a.profile_id = p_profile_id);
end $$;

-- 'insert', 'update' or 'unchanged'; what is wrong is raised.
create or replace function app.import_person(p_row jsonb) returns text
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_id       uuid := (select s.id from app.get_sign_ins() s
                        where lower(s.email) = lower(trim(p_row ->> 'email')));
    v_role     text := lower(trim(p_row ->> 'role'));
    v_active   text := coalesce(nullif(lower(trim(p_row ->> 'active')), ''), 'yes');
    v_old      public.profiles;
    v_assigned boolean;
begin
    if v_id is null then
        raise exception 'nobody was invited with this address' using errcode = 'no_data_found';
    end if;
    if v_role is null or v_role not in ('peer_mentor', 'coordinator', 'org_admin') then
        raise exception 'the role must be peer_mentor, coordinator or org_admin'
            using errcode = 'invalid_parameter_value';
    end if;
    if v_active not in ('yes', 'no') then
        raise exception 'active must be yes or no' using errcode = 'invalid_parameter_value';
    end if;
    if coalesce(trim(p_row ->> 'name'), '') = '' then
        raise exception 'the person has no name' using errcode = 'invalid_parameter_value';
    end if;
    if length(trim(p_row ->> 'name')) > 200 then
        raise exception 'the name is longer than 200 characters'
            using errcode = 'invalid_parameter_value';
    end if;
    select p.id, p.role, p.display_name, p.is_active
    into v_old.id, v_old.role, v_old.display_name, v_old.is_active
    from public.profiles p where p.id = v_id;
    perform app.save_person(v_id, trim(p_row ->> 'name'), v_role::public.profile_role,
                            v_active = 'yes');
    v_assigned := app.assign_chapters(v_id, app.chapters_of_names(p_row ->> 'chapters'));
    return case when v_old.id is null then 'insert'
                when v_assigned or (v_old.role::text, v_old.display_name, v_old.is_active)
                     is distinct from (v_role, trim(p_row ->> 'name'), v_active = 'yes')
                then 'update' else 'unchanged' end;
end $$;

revoke execute on function app.chapters_of_names(text), app.assign_chapters(uuid, uuid[]),
    app.import_person(jsonb) from public, anon, authenticated, service_role;
grant execute on function app.chapters_of_names(text), app.assign_chapters(uuid, uuid[]),
    app.import_person(jsonb) to authenticated;
