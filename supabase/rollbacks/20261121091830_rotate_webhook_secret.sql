-- Purpose: undo rotate_webhook_secret: a new secret is set by hand.
-- Locks: none. Data safety: nothing is lost. A rotation that is under way should be ended first.

drop function if exists private.cancel_webhook_rotation();
drop function if exists private.end_webhook_rotation();
drop function if exists private.begin_webhook_rotation();
