-- Purpose: undo create_deliveries: nobody notes what became of wake-ups.
-- Locks: none. Data safety: the ledger is lost; nothing depends on it.

drop function if exists private.traceparent();
drop function if exists private.collect_answers();
drop function if exists private.new_answers();
drop table if exists private.deliveries;
