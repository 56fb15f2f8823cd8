-- Purpose: undo plan_activities: nobody looks at lists of past activities.
-- Locks: none. Data safety: nothing is lost.

drop function if exists app.plan_activities(jsonb);
