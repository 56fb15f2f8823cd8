-- Purpose: undo create_activity_series.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.get_activity_series(date, date, text, uuid[], integer);
drop function if exists app.get_activity_series(date, date, text, uuid[]);
