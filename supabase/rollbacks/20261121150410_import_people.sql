-- Purpose: undo import_people.
-- Locks: none. Data safety: nothing is lost.

drop function if exists app.import_person(
    uuid, text, public.profile_role, boolean, uuid[]);
drop function if exists app.assign_chapters(uuid, uuid[]);
drop function if exists app.plan_people(jsonb);
drop function if exists app.assignments_of(uuid[]);
