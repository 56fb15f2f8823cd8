-- Purpose: erasing a contact: another, random id in all activities, and their texts gone.
-- Locks: none. Data safety: new objects only.

create or replace function app.erase_contact(p_contact_id uuid) returns jsonb
    -- DEFINER: erases in all chapters, after its check
    language plpgsql volatile security definer set search_path = '' as $$
declare
    -- an org admin's own; the service role's are all
    v_org_ids    uuid[] := array(select o.id from public.organizations o
                                 where app.administers(o.id) order by o.id);
    v_org_id     uuid;
    v_activities bigint;
    v_erased     bigint := 0;
begin
    if p_contact_id is null then
        raise exception 'a contact is needed' using errcode = 'invalid_parameter_value';
    end if;
    if v_org_ids = '{}' then
        raise exception 'only an org admin erases a contact'
            using errcode = 'insufficient_privilege';
    end if;
    -- before the snapshot, so that a migration beside it hides no row: see create_audit
    lock table public.activities in row exclusive mode;
    foreach v_org_id in array v_org_ids loop
        perform private.lock_erasures(v_org_id);
        v_activities := private.pseudonymize_contacts(v_org_id, array[p_contact_id],
                                                      p_with_texts := true);
        if v_activities > 0 then
            perform private.record_erasure(v_org_id, 'contact');
            v_erased := v_erased + v_activities;
        end if;
    end loop;
    return jsonb_build_object('activities', v_erased);
end $$;
create or replace function public.erase_contact(p_contact_id uuid) returns jsonb
    language sql volatile security invoker set search_path = '' set statement_timeout = '55s'
    return app.erase_contact(p_contact_id);
comment on function public.erase_contact(uuid) is
    'Erases a contact, figures unchanged; {activities}, 0 where there is none of this id. Org '
    'admins and the service role.';

revoke execute on function app.erase_contact(uuid), public.erase_contact(uuid)
    from public, anon, authenticated, service_role;
grant execute on function app.erase_contact(uuid), public.erase_contact(uuid)
    to authenticated, service_role;
