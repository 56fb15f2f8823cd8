-- Purpose: undo find_platform_problems.
-- Locks: none. Data safety: nothing is lost.

drop function if exists private.platform_problems();
