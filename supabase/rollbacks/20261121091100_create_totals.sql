-- Purpose: undo create_totals.
-- Locks: none. Data safety: nothing is lost; stats.rebuild() computes the totals from activities.

drop view if exists stats.totals;
drop table if exists stats.yearly_totals, stats.peer_mentor_totals, stats.monthly_totals,
    stats.daily_totals;
