-- Purpose: undo request_upkeep: commits ask for nothing.
-- Locks: brief, ACCESS EXCLUSIVE on both logs for their triggers. Data safety: nothing is lost.

drop trigger if exists tree_changes_request_upkeep on stats.tree_changes;
drop trigger if exists activity_changes_request_upkeep on stats.activity_changes;
drop function if exists stats.request_upkeep();
drop function if exists stats.named_record(jsonb);
