-- Purpose: undo create_sweep.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.get_health();
drop function if exists stats.sweep();
drop function if exists stats.prune_records();
drop function if exists stats.audit_sample(integer);
drop function if exists stats.attempt(text);
drop sequence if exists stats.swept_at;
