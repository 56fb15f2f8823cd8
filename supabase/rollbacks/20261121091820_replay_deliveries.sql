-- Purpose: undo replay_deliveries: no wake-up is sent once more.
-- Locks: none. Data safety: nothing is lost.

drop function if exists private.replay_delivery(text);
