-- Purpose: undo create_bufdir_alignment.
-- Locks: brief, ACCESS EXCLUSIVE on organizations. Data safety: the thresholds are lost.

drop function if exists public.get_bufdir_alignment(integer);
drop function if exists app.get_bufdir_alignment(integer);
drop function if exists stats.alignment_figures(uuid, integer);
drop table if exists public.bufdir_thresholds;
