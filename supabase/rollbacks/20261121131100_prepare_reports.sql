-- Purpose: undo prepare_reports: nobody prepares a version.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.prepare_report(date, date, integer);
drop function if exists app.prepare_report(date, date);
