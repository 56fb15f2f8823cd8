-- Purpose: undo count_node_reads.
-- Locks: brief, ACCESS EXCLUSIVE on organization_units. Data safety: how often each unit was read
-- is lost.

drop function if exists public.record_node_reads(jsonb);
drop function if exists stats.decayed_reads(double precision, timestamptz, timestamptz);
drop table if exists public.hierarchy_node_access;
