-- Purpose: whose an activity is, and who registered it, does not change.
-- Locks: brief, SHARE ROW EXCLUSIVE on activities. Data safety: new objects only.
--
-- A trigger and no missing grant: a client that sends an activity once more, because it did not
-- hear of the first time (Prefer: resolution=merge-duplicates), names these columns as they are.

create or replace function private.keep_identity() returns trigger
    language plpgsql security invoker set search_path = '' as $$
begin
    if new.id <> old.id then   -- nobody's: its history goes by it
        raise exception 'the id of an activity does not change'
            using errcode = 'insufficient_privilege';
    end if;
    if auth.uid() is not null then
        raise exception 'whose an activity is, and who registered it, does not change'
            using errcode = 'insufficient_privilege',
                  hint = 'Delete it, and register another one.';
    end if;
    return new;
end $$;
revoke execute on function private.keep_identity() from public, anon, authenticated, service_role;
create or replace trigger activities_keep_identity
    before update of id, organization_id, peer_mentor_id, is_proxy_registered, registered_by
    on public.activities
    for each row when (
        (old.id, old.organization_id, old.peer_mentor_id, old.is_proxy_registered,
         old.registered_by)
        is distinct from (new.id, new.organization_id, new.peer_mentor_id, new.is_proxy_registered,
                          new.registered_by))
    execute function private.keep_identity();
