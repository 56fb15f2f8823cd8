-- Purpose: undo sign_reports: nobody approves or sends.
-- Locks: none. Data safety: nothing is lost.

drop function if exists app.send_report(uuid);
drop function if exists app.approve_report(uuid);
drop function if exists stats.lock_report_version(uuid);
drop function if exists stats.require_true_version(public.bufdir_report_versions);
drop function if exists stats.find_report_version(uuid);
drop function if exists stats.is_current(public.bufdir_report_versions);
