-- Purpose: undo chain_report_versions.
-- Locks: brief, ACCESS EXCLUSIVE on bufdir_report_versions. Data safety: where each chain ended is
-- lost; the hashes stay.

drop trigger if exists bufdir_report_versions_sign on public.bufdir_report_versions;
drop function if exists private.sign_report_version();
drop trigger if exists bufdir_report_versions_chain on public.bufdir_report_versions;
drop function if exists private.chain_report_version();
drop table if exists stats.report_chains;
drop function if exists stats.signature_hash(public.bufdir_report_versions);
drop function if exists stats.report_hash(public.bufdir_report_versions);
drop function if exists stats.text_hash(text);
