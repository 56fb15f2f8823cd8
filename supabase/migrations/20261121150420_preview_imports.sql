-- Purpose: what a list would change, and changing it: all of it, or nothing.
-- Locks: none. Data safety: new objects only.
--
-- A preview does all that the import does, and takes it back: so they cannot differ.

create or replace function app.import_people(p_rows jsonb) returns jsonb
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_row     record;
    v_outcome text;
    v_problem text[];
    v_lines   jsonb[] := array[]::jsonb[];
begin
    for v_row in select p.* from app.plan_people(p_rows) p order by p.line loop
        v_outcome := 'unchanged';
        v_problem := v_row.problem;
        if v_problem is null and not v_row.is_same then
            begin
                v_outcome := app.import_person(v_row.id, v_row.name,
                    v_row.role::public.profile_role, v_row.is_active, v_row.chapter_ids);
            exception
                when data_exception or integrity_constraint_violation or no_data_found
                     or sqlstate 'PT404' or sqlstate 'PT409' then
                    v_problem := array[sqlstate, sqlerrm];
            end;
        end if;
        v_lines := v_lines || app.import_line(
            v_row.line, v_row.email, v_outcome, v_problem);
    end loop;
    return to_jsonb(v_lines);
end $$;

create or replace function app.import_rows(p_kind text, p_rows jsonb) returns jsonb
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    if app.administered_org_id() is null then
        raise exception 'only org admins import' using errcode = 'insufficient_privilege';
    end if;
    if jsonb_typeof(p_rows) is distinct from 'array' or jsonb_array_length(p_rows) > 5000 then
        raise exception 'the rows must be an array of at most 5000'
            using errcode = 'invalid_parameter_value';
    end if;
    case p_kind
        when 'units' then return app.import_units(p_rows);
        when 'people' then return app.import_people(p_rows);
        when 'activities' then return app.import_activities(p_rows);
        else raise exception 'the kind of list must be units, people or activities'
                 using errcode = 'invalid_parameter_value';
    end case;
end $$;

create or replace function public.preview_import(kind text, rows jsonb) returns jsonb
    language plpgsql volatile security invoker set search_path = ''
    set statement_timeout = '55s' as $$
declare
    v_lines jsonb;
begin
    v_lines := app.import_rows(kind, rows);
    set constraints all immediate;   -- what a commit would find
    raise sqlstate 'FSK00';
exception
    when sqlstate 'FSK00' then
        return v_lines;
end $$;
comment on function public.preview_import(text, jsonb) is
    'What run_import would do with the same list, line by line; of a problem a sentence, a code, '
    'and the cells that it is about. Org admins.';

create or replace function public.run_import(kind text, rows jsonb) returns jsonb
    language plpgsql volatile security invoker set search_path = ''
    set statement_timeout = '55s' as $$
declare
    v_lines    jsonb := app.import_rows(kind, rows);
    v_problems jsonb := (select jsonb_agg(l) from jsonb_array_elements(v_lines) l
                         where l ->> 'problem' is not null);
begin
    if v_problems is not null then
        raise exception 'nothing was imported: % lines have problems',
            jsonb_array_length(v_problems)
            using errcode = 'PT422', detail = v_problems::text;
    end if;
    return v_lines;
end $$;
comment on function public.run_import(text, jsonb) is
    'Imports a list of units, people or past activities: the whole, or nothing. Twice is the same '
    'as once. Org admins.';

revoke execute on function app.import_people(jsonb), app.import_rows(text, jsonb),
    public.preview_import(text, jsonb), public.run_import(text, jsonb)
    from public, anon, authenticated, service_role;
grant execute on function app.import_people(jsonb), app.import_rows(text, jsonb),
    public.preview_import(text, jsonb), public.run_import(text, jsonb) to authenticated;
