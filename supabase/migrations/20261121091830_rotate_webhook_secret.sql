-- Purpose: a new secret for the webhooks, without a refused one in between.
-- Locks: none. Data safety: new objects only.
--
-- While it is under way, each wake-up is signed with both. `make rotate-webhook-secret` calls
-- these in order.

create or replace function private.begin_webhook_rotation() returns text
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_secret text := 'whsec_' || encode(extensions.gen_random_bytes(32), 'base64');
begin
    if private.find_secret('fersk_previous_webhook_secret') is not null then
        raise exception 'a rotation is under way'
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'End it with private.end_webhook_rotation(), or take it back with '
                         'private.cancel_webhook_rotation().';
    end if;
    perform private.set_secret('fersk_previous_webhook_secret',
                               private.secret('fersk_webhook_secret'));
    perform private.set_secret('fersk_webhook_secret', v_secret);
    return v_secret;
end $$;
comment on function private.begin_webhook_rotation() is
    'Makes and returns a new secret; from now on wake-ups are signed with the old one as well.';

create or replace function private.end_webhook_rotation() returns void
    language sql volatile security invoker set search_path = ''
begin atomic
    select private.forget_secret('fersk_previous_webhook_secret');
end;
comment on function private.end_webhook_rotation() is
    'Forgets the old secret: every function holds the new one by now.';

create or replace function private.cancel_webhook_rotation() returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    perform private.set_secret('fersk_webhook_secret',
                               private.secret('fersk_previous_webhook_secret'));
    perform private.forget_secret('fersk_previous_webhook_secret');
end $$;
comment on function private.cancel_webhook_rotation() is
    'Back to the old secret: no function holds the new one yet.';

revoke execute on function private.begin_webhook_rotation(), private.end_webhook_rotation(),
    private.cancel_webhook_rotation()
    from public, anon, authenticated, service_role;
