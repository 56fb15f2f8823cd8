-- Purpose: undo create_rebuild: nothing repairs what an audit finds.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.heal(uuid[]);
drop function if exists stats.rebuild(uuid[]);
