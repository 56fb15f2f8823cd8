-- Purpose: undo import_people.
-- Locks: none. Data safety: nothing is lost.

drop function if exists app.import_person(jsonb);
drop function if exists app.assign_chapters(uuid, uuid[]);
drop function if exists app.chapters_of_names(text);
