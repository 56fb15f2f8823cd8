-- Purpose: undo create_tree_changes: changes of the tree and of the categories are no longer logged.
-- Locks: brief, ACCESS EXCLUSIVE on the tables that lose triggers. Data safety: what was not folded yet is lost, so
-- summaries cached before must not be read after a new start: create_hierarchy_cache begins with an empty cache.

drop trigger if exists activity_types_log_deletions on public.activity_types;
drop trigger if exists bufdir_category_mappings_log_deletes on public.bufdir_category_mappings;
drop trigger if exists bufdir_category_mappings_log_moved on public.bufdir_category_mappings;
drop trigger if exists bufdir_category_mappings_log_updates on public.bufdir_category_mappings;
drop trigger if exists bufdir_category_mappings_log_inserts on public.bufdir_category_mappings;
drop trigger if exists organization_units_log_deletions on public.organization_units;
drop trigger if exists organization_units_log_moves on public.organization_units;
drop function if exists stats.log_type_deletions();
drop function if exists stats.log_mapping_changes();
drop function if exists stats.log_unit_deletions();
drop function if exists stats.log_unit_moves();
drop view if exists stats.unit_changes;
drop table if exists stats.tree_changes;
