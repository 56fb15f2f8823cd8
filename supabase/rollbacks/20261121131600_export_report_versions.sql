-- Purpose: undo export_report_versions: nobody exports a version.
-- Locks: brief, ACCESS EXCLUSIVE on bufdir_export_audit_log. Data safety: exports of versions stay
-- on record, without the version.

drop function if exists public.export_report_version(uuid, text);
drop function if exists app.export_report_version(uuid, text);
alter table public.bufdir_export_audit_log
    drop constraint if exists bufdir_export_audit_log_of_something;
drop index if exists public.bufdir_export_audit_log_version_id_idx;
alter table public.bufdir_export_audit_log
    drop column if exists version_id,
    drop column if exists version,
    drop column if exists version_hash,
    drop column if exists format;
