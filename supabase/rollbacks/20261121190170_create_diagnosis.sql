-- Purpose: undo create_diagnosis.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.diagnose();
drop view if exists private.open_requests;
