-- Purpose: undo create_wake_ups: the functions are not woken.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.ask(text, text, uuid, jsonb, boolean);
drop function if exists stats.wake(text, text, uuid, jsonb, boolean);
