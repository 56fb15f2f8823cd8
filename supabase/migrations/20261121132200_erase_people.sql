-- Purpose: erasing a person: the sign-in goes, the profile stays without a name, figures stay.
-- Locks: brief, SHARE ROW EXCLUSIVE on profiles. Data safety: new objects only.
--
-- Erased is who has no sign-in (profiles.user_id). So there is one way, whoever goes it:
-- erase_person, or the deletion of the user in the dashboard, by the admin API or in SQL.

-- What is left of them: no assignment, no text of theirs, and none of the contacts they met.
create or replace function private.erase_traces(p_profile_id uuid) returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    -- before the snapshot, so that a migration beside it hides no row: see create_audit
    lock table public.activities in row exclusive mode;
    delete from public.chapter_assignments c where c.profile_id = p_profile_id;
    perform private.pseudonymize_contacts(
        p.organization_id,
        array(select a.contact_id from public.activities a
              where a.peer_mentor_id = p.id and a.contact_id is not null) || p.id)
    from public.profiles p where p.id = p_profile_id;
    update public.activities a set summary = null
    where (a.peer_mentor_id = p_profile_id or a.registered_by = p_profile_id)
      and a.summary is not null;
end $$;

create or replace function private.forget_person() returns trigger
    language plpgsql security invoker set search_path = '' as $$
begin
    new.display_name := 'Erased person';
    new.is_active := false;
    new.erased_at := now();
    return new;
end $$;
create or replace trigger profiles_forget_person before update on public.profiles
    for each row when (old.user_id is not null and new.user_id is null)
        execute function private.forget_person();

create or replace function private.erase_person() returns trigger
    -- DEFINER: who erases holds no rights on most of this
    language plpgsql security definer set search_path = '' as $$
begin
    -- The user was deleted, not by erase_person: whoever never did anything goes altogether.
    if not exists (select from auth.users u where u.id = new.id) then
        begin
            delete from public.profiles p where p.id = new.id;
            return null;
        exception when foreign_key_violation then
            null;   -- there is something to keep
        end;
    end if;
    perform private.erase_traces(new.id);
    perform private.record_erasure(new.organization_id, 'person');
    return null;
end $$;
create or replace trigger profiles_erase_person after update on public.profiles
    for each row when (old.user_id is not null and new.user_id is null)
        execute function private.erase_person();

-- Where the platform does not let us, the caller is told, and deletes the user by the admin API.
create or replace function private.delete_sign_in(p_user_id uuid) returns boolean
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    delete from auth.audit_log_entries e where strpos(e.payload::text, p_user_id::text) > 0;
    delete from auth.refresh_tokens t where t.user_id::text = p_user_id::text;
    delete from auth.users u where u.id = p_user_id;
    return true;
exception when insufficient_privilege or undefined_table then
    perform stats.record_error('a sign-in stays: ' || sqlstate || ': ' || sqlerrm);
    return false;
end $$;

create or replace function app.erase_person(p_profile_id uuid) returns jsonb
    -- DEFINER: erases what nobody may write, after its check
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_person public.profiles;
begin
    select * into v_person from public.profiles p where p.id = p_profile_id;
    if not app.administers(v_person.organization_id) then
        raise exception 'only an org admin of their organisation erases a person'
            using errcode = 'insufficient_privilege';
    end if;
    perform private.lock_erasures(v_person.organization_id);
    if v_person.role = 'org_admin' and v_person.is_active and not exists (
        select from public.profiles p
        where p.organization_id = v_person.organization_id and p.role = 'org_admin'
          and p.is_active and p.id <> p_profile_id) then
        raise exception 'the last org admin cannot be erased'
            using errcode = 'PT409', hint = 'Make somebody else org admin first.';
    end if;
    -- waits for those who are just registering something that refers to the profile
    update public.profiles p set user_id = null
    where p.id = p_profile_id and p.user_id is not null;
    if not found then
        perform private.erase_traces(p_profile_id);   -- what has come since
    end if;
    return jsonb_build_object(
        'profile_id', p_profile_id,
        'erased_at', (select p.erased_at from public.profiles p where p.id = p_profile_id),
        'sign_in_deleted', private.delete_sign_in(p_profile_id));
end $$;
create or replace function public.erase_person(p_profile_id uuid) returns jsonb
    language sql volatile security invoker set search_path = '' set statement_timeout = '55s'
    return app.erase_person(p_profile_id);
comment on function public.erase_person(uuid) is
    'Erases a person, figures unchanged; {profile_id, erased_at, sign_in_deleted}. Org admins of '
    'their organisation and the service role.';

revoke execute on function private.erase_traces(uuid), private.forget_person(),
    private.erase_person(), private.delete_sign_in(uuid), app.erase_person(uuid),
    public.erase_person(uuid)
    from public, anon, authenticated, service_role;
grant execute on function app.erase_person(uuid), public.erase_person(uuid)
    to authenticated, service_role;
