-- Purpose: undo create_bufdir_alignment.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.get_bufdir_alignment(integer);
drop function if exists app.get_bufdir_alignment(integer);
drop function if exists stats.alignment_figures(uuid, integer);
