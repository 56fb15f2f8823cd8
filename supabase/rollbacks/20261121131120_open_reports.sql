-- Purpose: undo open_reports: nobody signs or lists versions.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.get_report_versions(date, date, integer);
drop function if exists app.get_report_versions(date, date);
drop function if exists public.send_report(uuid);
drop function if exists public.approve_report(uuid);
