-- Purpose: undo name_import_problems.
-- Locks: none. Data safety: nothing is lost.

drop function if exists app.import_line(integer, text, text, text[]);
drop function if exists app.import_sentence(text[]);
