-- Purpose: undo create_webhook_receipts: no record of the webhooks received.
-- Locks: none. Data safety: the receipts are lost; they matter for fifteen minutes only.

drop function if exists public.claim_webhook(text);
drop table if exists private.webhook_receipts;
