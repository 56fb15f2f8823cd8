-- Purpose: undo open_explanations: nobody asks for an explanation.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.explain_report_difference(uuid, uuid);
drop function if exists app.explain_report_difference(uuid, uuid);
