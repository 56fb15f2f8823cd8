-- Purpose: undo find_health_reasons.
-- Locks: none. Data safety: nothing is lost.

drop function if exists private.health_reasons();
drop function if exists private.schedule_reasons();
drop view if exists private.answers;
