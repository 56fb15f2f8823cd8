-- Purpose: undo create_broadcast: nobody is told, and nobody may listen.
-- Locks: brief, ACCESS EXCLUSIVE on realtime.messages for the policy. Data safety: nothing is lost.

drop policy if exists "members listen to their organisation" on realtime.messages;
drop function if exists private.broadcast_invalidation(uuid, uuid[], date[]);
