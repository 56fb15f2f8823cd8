-- Purpose: undo create_drain: nobody can fold through the API; the sweep does.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.request_invalidation_again();
drop function if exists public.take_unit_changes();
drop function if exists public.acknowledge_wake_ups();
drop function if exists stats.writers_in_flight();
