-- Purpose: undo tell_role.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.get_role();
