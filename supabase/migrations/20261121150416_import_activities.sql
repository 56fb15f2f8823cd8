-- Purpose: a list of past activities is registered on behalf of people.
-- Locks: none. Data safety: new objects only.
--
-- Written by whoever imports, with their rights, as if they registered each.

create or replace function app.import_activities(p_rows jsonb) returns jsonb
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_plan jsonb := (select coalesce(jsonb_agg(to_jsonb(p) order by p.line), '[]')
                     from app.plan_activities(p_rows) p);
begin
    if not exists (select from jsonb_array_elements(v_plan) p
                   where p ->> 'problem' is not null) then
        insert into public.activities
            (id, unit_id, peer_mentor_id, activity_type_id, occurred_at, activity_date,
             duration_minutes, participant_count, contact_id, is_proxy_registered, registered_by,
             status)
        select p.id, p.unit_id, p.peer_mentor_id, p.activity_type_id, p.occurred_at,
               p.activity_date, p.duration_minutes, p.participant_count, p.contact_id,
               p.peer_mentor_id <> auth.uid(), auth.uid(), p.status::public.activity_status
        from jsonb_to_recordset(v_plan)
             p (id uuid, unit_id uuid, peer_mentor_id uuid, activity_type_id uuid,
                occurred_at timestamptz, activity_date date, duration_minutes integer,
                participant_count integer, contact_id uuid, status text, outcome text)
        where p.outcome = 'insert';
    end if;
    return (select coalesce(jsonb_agg(app.import_line(p.line, p.name, p.outcome, p.problem)
                                      order by p.line), '[]')
            from jsonb_to_recordset(v_plan)
                 p (line integer, name text, outcome text, problem text[]));
end $$;

revoke execute on function app.import_activities(jsonb)
    from public, anon, authenticated, service_role;
grant execute on function app.import_activities(jsonb) to authenticated;
