-- Purpose: undo create_hierarchy_summaries.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.hierarchy_summaries(uuid, integer);
drop function if exists stats.hierarchy_summary(uuid, integer);
drop function if exists stats.hierarchy_payload(bigint, bigint, bigint, bigint, bigint, bigint, jsonb, numeric);
drop function if exists stats.current_mapping_version(uuid);
drop view if exists stats.unit_ancestry;
drop function if exists public.get_ancestor_ids(uuid);
