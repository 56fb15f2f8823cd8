-- Purpose: undo create_thresholds.
-- Locks: brief, ACCESS EXCLUSIVE on organizations. Data safety: the thresholds are lost.

drop table if exists public.bufdir_thresholds;
