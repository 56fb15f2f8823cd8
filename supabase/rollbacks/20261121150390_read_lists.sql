-- Purpose: undo read_lists: the cells of lists mean nothing.
-- Locks: none. Data safety: nothing is lost.

drop function if exists app.to_day(text);
drop function if exists app.stable_id(text[]);
