-- Purpose: undo create_schedules.
-- Locks: none. Data safety: nothing is lost.

drop function if exists private.schedules();
drop function if exists private.send_heartbeat();
drop function if exists private.request_precompute();
