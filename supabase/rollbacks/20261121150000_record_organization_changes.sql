-- Purpose: undo record_organization_changes.
-- Locks: brief, ACCESS EXCLUSIVE on the tables that had the trigger.
-- Data safety: the record of who changed what about an organisation is lost.

do $$
declare
    v_table text;
begin
    foreach v_table in array array[
        'organization_settings', 'organization_units', 'profiles', 'chapter_assignments',
        'activity_types', 'bufdir_category_mappings', 'bufdir_mapping_versions',
        'bufdir_thresholds', 'counting_rules'] loop
        execute format('drop trigger if exists %I on public.%I',
                       v_table || '_record_change', v_table);
    end loop;
end $$;
drop function if exists private.record_organization_change();
drop function if exists private.facts_of_change(jsonb);
drop table if exists public.organization_changes;
