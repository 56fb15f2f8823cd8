-- Purpose: undo name_periods: each function has its own convention.
-- Locks: none. Data safety: nothing is lost.

drop function if exists app.warn_of_end(date);
drop function if exists app.period_warnings(date);
drop function if exists app.first_day(date, integer);
