-- Purpose: undo create_foundations: no schemas.
-- Locks: none. Data safety: fails, and changes nothing, if a schema still holds something.

drop schema if exists stats;
drop schema if exists private;
drop schema if exists app;
