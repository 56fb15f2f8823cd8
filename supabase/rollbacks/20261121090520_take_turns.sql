-- Purpose: undo take_turns.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.take_refresh_turn();
drop function if exists app.take_refresh_turn();
drop function if exists app.take_turn(text);
