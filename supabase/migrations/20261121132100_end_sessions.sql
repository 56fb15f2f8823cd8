-- Purpose: who is deactivated or erased gets no new token: their sessions end.
-- Locks: brief, SHARE ROW EXCLUSIVE on profiles. Data safety: new objects only.
--
-- What a token lets its bearer read is decided at each request, so a deactivated member reads
-- nothing from that moment. An open Realtime channel lasts as long as its token at most: without a
-- session there is no other.

create or replace function private.end_sessions() returns trigger
    -- DEFINER: who deactivates holds no rights on auth
    language plpgsql security definer set search_path = '' as $$
begin
    delete from auth.refresh_tokens t where t.user_id::text = new.id::text;
    delete from auth.sessions s where s.user_id = new.id;
    return null;
exception when insufficient_privilege or undefined_table then
    -- the platform does not let us: the deactivation holds all the same
    perform stats.record_error('sessions stay open: ' || sqlstate || ': ' || sqlerrm);
    return null;
end $$;
-- not UPDATE OF is_active: another trigger may have set it
create or replace trigger profiles_end_sessions after update on public.profiles
    for each row when (old.is_active and not new.is_active)
        execute function private.end_sessions();

revoke execute on function private.end_sessions() from public, anon, authenticated, service_role;
