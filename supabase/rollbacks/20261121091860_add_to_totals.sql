-- Purpose: undo add_to_totals.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.remove_zeros(jsonb);
drop function if exists stats.totals_upserts();
