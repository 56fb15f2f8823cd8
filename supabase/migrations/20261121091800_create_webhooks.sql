-- Purpose: signed wake-ups to the functions (Standard Webhooks).
-- Locks: none. Data safety: new objects only.
--
-- A webhook only says "look now". pg_net's queue is unlogged and never retried: nothing may depend
-- on it.

create or replace function private.webhook_signature(p_id text, p_timestamp bigint, p_body text)
    returns text
    language plpgsql stable security invoker set search_path = '' as $$
begin
    return 'v1,' || encode(extensions.hmac(
        convert_to(p_id || '.' || p_timestamp || '.' || p_body, 'UTF8'),
        decode(substr(private.secret('fersk_webhook_secret'), length('whsec_') + 1), 'base64'),
        'sha256'), 'base64');
end $$;
comment on function private.webhook_signature(text, bigint, text) is
    'Standard Webhooks v1: HMAC-SHA256 over "id.timestamp.body".';

create or replace function private.send_webhook(p_slug text, p_payload jsonb) returns bigint
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_id        text   := 'msg_' || gen_random_uuid();
    v_timestamp bigint := extract(epoch from clock_timestamp())::bigint;
begin
    -- pg_net sends the text form of the jsonb, which is what is signed
    return net.http_post(
        -- however it was pasted: an address with "//" in it is nobody's
        url := rtrim(private.secret('fersk_functions_url'), E'/ \t\r\n') || '/' || p_slug,
        body := p_payload,
        headers := jsonb_build_object(
            'Content-Type', 'application/json',
            'webhook-id', v_id,
            'webhook-timestamp', v_timestamp::text,
            'webhook-signature',
                private.webhook_signature(v_id, v_timestamp, p_payload::text)),
        timeout_milliseconds := 5000);
end $$;
comment on function private.send_webhook(text, jsonb) is
    'Queues a signed POST to a function, sent after commit; returns pg_net''s request id.';

revoke execute on function
    private.webhook_signature(text, bigint, text), private.send_webhook(text, jsonb)
    from public, anon, authenticated, service_role;
