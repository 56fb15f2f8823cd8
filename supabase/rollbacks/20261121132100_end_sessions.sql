-- Purpose: undo end_sessions: deactivated members keep their sessions.
-- Locks: brief, ACCESS EXCLUSIVE on profiles. Data safety: nothing is lost.

drop trigger if exists profiles_end_sessions on public.profiles;
drop function if exists private.end_sessions();
