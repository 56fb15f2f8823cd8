-- Purpose: undo create_hierarchy_summaries.
-- Locks: brief, ACCESS EXCLUSIVE on activities for its index. Data safety: nothing is lost.

drop function if exists stats.hierarchy_summaries(uuid, integer);
drop function if exists stats.hierarchy_summary(uuid, integer);
drop function if exists stats.hierarchy_payload(bigint, bigint, bigint, bigint, bigint, bigint, jsonb, numeric);
drop function if exists stats.current_mapping_version(uuid);
drop view if exists stats.unit_ancestry;
drop function if exists public.get_ancestor_ids(uuid);
drop index if exists public.activities_unit_id_occurred_at_contact_id_idx;
