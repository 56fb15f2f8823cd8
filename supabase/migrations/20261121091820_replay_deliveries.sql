-- Purpose: sending a wake-up once more, by its id.
-- Locks: none. Data safety: new objects only.

-- The same id, so that the ledger counts it; its receipt goes, or it would be refused as a replay
-- by somebody else.
create or replace function private.replay_delivery(p_webhook_id text) returns bigint
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_delivery private.deliveries;
begin
    select * into v_delivery from private.deliveries d where d.webhook_id = p_webhook_id;
    if not found then
        raise exception 'no delivery "%" is in the ledger', p_webhook_id
            using errcode = 'no_data_found', hint = 'It keeps the newest ten thousand.';
    end if;
    delete from private.webhook_receipts r where r.webhook_id = p_webhook_id;
    return private.deliver(p_webhook_id, v_delivery.slug, v_delivery.payload);
end $$;
comment on function private.replay_delivery(text) is
    'Sends a wake-up of the ledger once more, signed anew; returns pg_net''s request id.';

revoke execute on function private.replay_delivery(text)
    from public, anon, authenticated, service_role;
