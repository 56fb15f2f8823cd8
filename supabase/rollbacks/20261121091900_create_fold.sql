-- Purpose: undo create_fold: the log grows, and live reads with it.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.fold();
