-- Purpose: undo create_broadcast: nobody is told.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.tell(jsonb);
drop function if exists private.broadcast_invalidation(uuid, uuid[], date[]);
