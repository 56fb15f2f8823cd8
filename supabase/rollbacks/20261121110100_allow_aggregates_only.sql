-- Purpose: undo allow_aggregates_only.
-- Locks: none. Data safety: nothing is lost.

drop function if exists app.is_aggregate_only(jsonb, text);
