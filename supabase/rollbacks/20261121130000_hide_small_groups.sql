-- Purpose: undo hide_small_groups: no report can be asked for.
-- Locks: none. Data safety: nothing is lost.

drop function if exists app.shown_report(jsonb);
drop function if exists app.hide_small_groups(jsonb);
drop function if exists app.reads_whole_organization();
