-- Purpose: undo create_totals.
-- Locks: none. Data safety: nothing is lost; the totals can be computed from activities by stats.rebuild().

drop view if exists stats.totals;
drop table if exists stats.yearly_totals, stats.peer_mentor_totals, stats.monthly_totals, stats.daily_totals;
