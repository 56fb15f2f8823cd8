-- Purpose: undo create_export_audit_log: no record of exports.
-- Locks: brief, ACCESS EXCLUSIVE on organizations and profiles.
-- Data safety: THE RECORD OF WHO EXPORTED WHAT IS LOST.

drop table if exists stats.complete_exports;
drop table if exists public.bufdir_export_audit_log;
drop function if exists private.refuse_change();
