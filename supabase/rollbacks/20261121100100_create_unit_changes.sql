-- Purpose: undo create_unit_changes: changed units are no longer logged.
-- Locks: brief, ACCESS EXCLUSIVE on the tables that lose triggers. Data safety: what was not drained yet is lost, so
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

-- or the change log would be kept for it for ever
do $$
begin
    if to_regclass('stats.snapshot_positions') is not null then
        delete from stats.snapshot_positions where relation_name = 'hierarchy_stats_cache';
    end if;
end $$;
