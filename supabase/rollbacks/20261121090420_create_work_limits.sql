-- Purpose: undo create_work_limits.
-- Locks: none. Data safety: limits that were changed are lost, and how far they are used.

drop function if exists private.use_limit(text, uuid, integer, interval);
drop table if exists private.work_done;
drop table if exists private.work_limits;
drop function if exists app.refuse(integer, text, text, interval);
