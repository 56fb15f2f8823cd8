-- Purpose: signed wake-ups to the functions (Standard Webhooks), and the record of those received.
-- Locks: none. Data safety: new objects only.
--
-- A webhook only says "look now". pg_net's queue is unlogged and never retried: nothing may depend on it.

create or replace function private.webhook_signature(p_id text, p_timestamp bigint, p_body text) returns text
    language plpgsql stable security invoker set search_path = '' as $$
begin
    return 'v1,' || encode(extensions.hmac(
        convert_to(p_id || '.' || p_timestamp || '.' || p_body, 'UTF8'),
        decode(substr(private.secret('fersk_webhook_secret'), length('whsec_') + 1), 'base64'),
        'sha256'), 'base64');
end $$;
comment on function private.webhook_signature(text, bigint, text) is 'Standard Webhooks v1: HMAC-SHA256 over "id.timestamp.body".';

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
            'webhook-signature', private.webhook_signature(v_id, v_timestamp, p_payload::text)),
        timeout_milliseconds := 5000);
end $$;
comment on function private.send_webhook(text, jsonb) is 'Queues a signed POST to a function, sent after commit; returns pg_net''s request id.';

create table if not exists private.webhook_receipts (
    webhook_id  text        primary key check (length(webhook_id) between 1 and 200),
    received_at timestamptz not null default now()
);
comment on table private.webhook_receipts is 'Webhooks received of late, so that a replay is refused. Signatures older than five minutes are refused anyway.';
create index if not exists webhook_receipts_received_at_idx on private.webhook_receipts (received_at);
alter table private.webhook_receipts enable row level security;   -- deny-all: no policy

create or replace function public.claim_webhook(p_webhook_id text) returns boolean
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: the only door to the receipts
begin
    delete from private.webhook_receipts r where r.received_at < now() - interval '15 minutes';
    insert into private.webhook_receipts (webhook_id) values (p_webhook_id) on conflict (webhook_id) do nothing;
    return found;
end $$;
comment on function public.claim_webhook(text) is 'True for the first receipt of a webhook id, false for a replay. Service role only.';

revoke all on private.webhook_receipts from public, anon, authenticated, service_role;
revoke execute on all functions in schema private from public, anon, authenticated, service_role;
revoke execute on function public.claim_webhook(text) from public, anon, authenticated;
grant execute on function public.claim_webhook(text) to service_role;
