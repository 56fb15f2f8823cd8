-- Purpose: undo create_monthly_series.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.get_monthly_series(uuid, date, date, integer);
drop function if exists app.monthly_series(uuid, date, date);
