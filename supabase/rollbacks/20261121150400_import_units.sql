-- Purpose: undo import_units.
-- Locks: none. Data safety: nothing is lost.

drop function if exists app.import_units(jsonb);
drop function if exists app.plan_units(jsonb);
