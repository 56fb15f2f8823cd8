-- Purpose: undo tell_versions.
-- Locks: none. Data safety: nothing is lost.

drop function if exists private.versions();
