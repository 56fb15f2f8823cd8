-- Purpose: undo create_coordinator_statistics: the API offers no statistics of coordinators.
-- Locks: none. Data safety: nothing is lost; views hold no data.

drop view if exists public.coordinator_monthly_stats;
drop view if exists stats.visible_coordinator_monthly_stats;
