-- Purpose: undo create_health: nobody is told of the upkeep.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.get_health();
