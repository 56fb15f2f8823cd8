-- Purpose: undo create_report_source.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.mapping_fingerprint(uuid, integer);
drop view if exists stats.report_rows;
drop view if exists stats.chapter_bits;
drop view if exists stats.type_bits;
drop view if exists stats.unit_regions;
