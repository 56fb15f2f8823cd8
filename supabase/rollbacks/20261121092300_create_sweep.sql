-- Purpose: undo create_sweep: what a wake-up misses stays undone.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.sweep();
drop function if exists stats.prune_records();
drop function if exists stats.audit_sample(integer);
drop function if exists stats.attempt(text);
