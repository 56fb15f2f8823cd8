-- Purpose: undo log_category_changes: changes of the categories are no longer logged.
-- Locks: brief, ACCESS EXCLUSIVE on the tables that lose triggers. Data safety: as of
-- create_tree_changes.

drop trigger if exists activity_types_log_deletions on public.activity_types;
drop trigger if exists bufdir_mapping_versions_log_deletes on public.bufdir_mapping_versions;
drop trigger if exists bufdir_mapping_versions_log_updates on public.bufdir_mapping_versions;
drop trigger if exists bufdir_mapping_versions_log_inserts on public.bufdir_mapping_versions;
drop trigger if exists bufdir_category_mappings_log_deletes on public.bufdir_category_mappings;
drop trigger if exists bufdir_category_mappings_log_moved on public.bufdir_category_mappings;
drop trigger if exists bufdir_category_mappings_log_updates on public.bufdir_category_mappings;
drop trigger if exists bufdir_category_mappings_log_inserts on public.bufdir_category_mappings;
drop function if exists stats.log_organization_changes();
drop function if exists stats.log_mapping_changes();
drop function if exists stats.outdate_organizations(uuid[]);
