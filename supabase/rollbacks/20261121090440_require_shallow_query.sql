-- Purpose: undo require_shallow_query.
-- Locks: none. Data safety: nothing is lost.

drop function if exists app.require_shallow_query();
