-- Purpose: undo preview_imports: nobody imports lists.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.run_import(text, jsonb);
drop function if exists public.preview_import(text, jsonb);
drop function if exists app.import_rows(text, jsonb);
drop function if exists app.import_people(jsonb);
