-- Purpose: signed wake-ups to the functions (Standard Webhooks).
-- Locks: none. Data safety: new objects only.
--
-- A webhook only says "look now". pg_net's queue is unlogged and never retried: nothing may depend
-- on it.

create or replace function private.webhook_signature(p_id text, p_timestamp bigint, p_body text)
    returns text
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_previous text := private.find_secret('fersk_previous_webhook_secret');
begin
    -- two while the secret is being rotated: who still holds the old one knows the second
    return (
        select string_agg('v1,' || encode(extensions.hmac(
            convert_to(p_id || '.' || p_timestamp || '.' || p_body, 'UTF8'),
            decode(substr(s.secret, length('whsec_') + 1), 'base64'),
            'sha256'), 'base64'), ' ' order by s.number)
        from (values (1, private.secret('fersk_webhook_secret')),
                     (2, v_previous)) s (number, secret)
        where s.secret is not null);
end $$;
comment on function private.webhook_signature(text, bigint, text) is
    'Standard Webhooks v1: HMAC-SHA256 over "id.timestamp.body", by each secret in force.';

create or replace function private.deliver(p_id text, p_slug text, p_payload jsonb) returns bigint
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_timestamp  bigint := extract(epoch from clock_timestamp())::bigint;
    v_trace      text   := private.traceparent();
    v_request_id bigint;
begin
    -- pg_net sends the text form of the jsonb, which is what is signed
    v_request_id := net.http_post(
        -- however it was pasted: an address with "//" in it is nobody's
        url := rtrim(private.secret('fersk_functions_url'), E'/ \t\r\n') || '/' || p_slug,
        body := p_payload,
        headers := jsonb_strip_nulls(jsonb_build_object(
            'Content-Type', 'application/json',
            'traceparent', v_trace,
            'webhook-id', p_id,
            'webhook-timestamp', v_timestamp::text,
            'webhook-signature',
                private.webhook_signature(p_id, v_timestamp, p_payload::text))),
        timeout_milliseconds := 5000);
    insert into private.deliveries as d
        (webhook_id, slug, payload, request_id, sent_at, traceparent)
    values (p_id, p_slug, p_payload, v_request_id, clock_timestamp(), v_trace)
    on conflict (webhook_id) do update
        set request_id = excluded.request_id, sent_at = excluded.sent_at,
            attempts = d.attempts + 1, traceparent = excluded.traceparent,
            answered_at = null, status_code = null, error = null;
    return v_request_id;
end $$;
comment on function private.deliver(text, text, jsonb) is
    'Queues a signed POST to a function, sent after commit, and enters it in the ledger; returns '
    'pg_net''s request id.';

create or replace function private.send_webhook(p_slug text, p_payload jsonb) returns bigint
    language sql volatile security invoker set search_path = ''
    return private.deliver('msg_' || gen_random_uuid(), p_slug, p_payload);
comment on function private.send_webhook(text, jsonb) is
    'Delivers a payload under an id of its own; returns pg_net''s request id.';

revoke execute on function
    private.webhook_signature(text, bigint, text), private.deliver(text, text, jsonb),
    private.send_webhook(text, jsonb)
    from public, anon, authenticated, service_role;
