-- Purpose: undo create_tree_changes: changes of the tree are no longer logged.
-- Locks: brief, ACCESS EXCLUSIVE on organization_units. Data safety: what was not folded yet is
-- lost, so summaries cached before must not be read after a new start: create_hierarchy_cache
-- begins with an empty cache.

drop trigger if exists organization_units_log_deletions on public.organization_units;
drop trigger if exists organization_units_log_moves on public.organization_units;
drop function if exists stats.log_unit_deletions();
drop function if exists stats.log_unit_moves();
drop view if exists stats.unit_changes;
drop table if exists stats.tree_changes;
