-- Purpose: the record of the webhooks received, so that a replay is refused.
-- Locks: none. Data safety: new objects only.

create table if not exists private.webhook_receipts (
    webhook_id  text        primary key check (length(webhook_id) between 1 and 200),
    received_at timestamptz not null default now()
);
comment on table private.webhook_receipts is
    'Webhooks received of late, so that a replay is refused. Signatures older than five minutes '
    'are refused anyway.';
create index if not exists webhook_receipts_received_at_idx
    on private.webhook_receipts (received_at);
alter table private.webhook_receipts enable row level security;   -- deny-all: no policy

create or replace function public.claim_webhook(p_webhook_id text) returns boolean
    -- DEFINER: the only door to the receipts
    language plpgsql volatile security definer set search_path = '' as $$
begin
    delete from private.webhook_receipts r where r.received_at < now() - interval '15 minutes';
    insert into private.webhook_receipts (webhook_id) values (p_webhook_id)
    on conflict (webhook_id) do nothing;
    return found;
end $$;
comment on function public.claim_webhook(text) is
    'True for the first receipt of a webhook id, false for a replay. Service role only.';

revoke all on private.webhook_receipts from public, anon, authenticated, service_role;
revoke execute on function public.claim_webhook(text)
    from public, anon, authenticated, service_role;
grant execute on function public.claim_webhook(text) to service_role;
