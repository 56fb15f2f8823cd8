-- Purpose: undo export_people: nobody exports a person's data.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.export_person(uuid);
drop function if exists app.export_person(uuid);
