-- Purpose: undo create_webhooks: no signed wake-ups.
-- Locks: none. Data safety: nothing is lost.

drop function if exists private.send_webhook(text, jsonb);
drop function if exists private.deliver(text, text, jsonb);
drop function if exists private.webhook_signature(text, bigint, text);
