-- Purpose: undo import_activities: nobody imports lists of past activities.
-- Locks: none. Data safety: nothing is lost.

drop function if exists app.import_activities(jsonb);
