-- Purpose: undo create_webhooks: no signed wake-ups, no record of those received.
-- Locks: none. Data safety: the receipts are lost; they matter for fifteen minutes only.

drop function if exists public.claim_webhook(text);
drop table if exists private.webhook_receipts;
drop function if exists private.send_webhook(text, jsonb);
drop function if exists private.webhook_signature(text, bigint, text);
