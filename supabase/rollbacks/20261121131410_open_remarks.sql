-- Purpose: undo open_remarks: nobody asks for remarks.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.get_report_remarks(date, date, integer);
drop function if exists app.get_report_remarks(date, date);
