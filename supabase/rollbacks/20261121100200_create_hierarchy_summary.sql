-- Purpose: undo create_hierarchy_summary.
-- Locks: brief, ACCESS EXCLUSIVE on activities for its index. Data safety: nothing is lost.

drop function if exists stats.hierarchy_summary(uuid, integer);
drop function if exists stats.hierarchy_payload(
    bigint, bigint, bigint, bigint, bigint, bigint, jsonb, numeric);
drop index if exists public.activities_unit_id_activity_date_contact_id_idx;
