-- Purpose: undo create_metric_snapshots: no saved reports.
-- Locks: brief, ACCESS EXCLUSIVE on organizations.
-- Data safety: saved snapshots can be computed again.

drop table if exists public.bufdir_metric_snapshots;
drop function if exists private.stamp_snapshot();
