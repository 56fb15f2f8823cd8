-- Purpose: a type that is categorised anew, or deleted, outdates the summaries of every year.
-- Locks: brief, SHARE ROW EXCLUSIVE on activity_types and on what says its category.
-- Data safety: new objects only.

-- Its leaves, and so all above them: every unit contains one.
create or replace function stats.outdate_organizations(p_organization_ids uuid[]) returns void
    language sql volatile security invoker set search_path = ''
begin atomic
    insert into stats.tree_changes (organization_id, unit_id)
    select u.organization_id, u.id
    from public.organization_units u
    where u.organization_id = any (p_organization_ids)
      and not exists (select from public.organization_units b where b.parent_id = u.id);
end;
comment on function stats.outdate_organizations(uuid[]) is
    'Logs that every summary of these organisations is outdated, in every year.';

-- A changed mapping outdates the categories everywhere in the organisation.
create or replace function stats.log_mapping_changes() returns trigger
    -- DEFINER: writers hold no rights on stats
    language plpgsql security definer set search_path = '' as $$
begin
    perform stats.outdate_organizations(array(
        select t.organization_id
        from public.activity_types t
        join changed_rows c on c.activity_type_id = t.id));
    return null;
end $$;
create or replace trigger bufdir_category_mappings_log_inserts
    after insert on public.bufdir_category_mappings
    referencing new table as changed_rows
    for each statement execute function stats.log_mapping_changes();
create or replace trigger bufdir_category_mappings_log_updates
    after update on public.bufdir_category_mappings
    referencing new table as changed_rows
    for each statement execute function stats.log_mapping_changes();
create or replace trigger bufdir_category_mappings_log_moved
    after update on public.bufdir_category_mappings
    referencing old table as changed_rows
    for each statement execute function stats.log_mapping_changes();
create or replace trigger bufdir_category_mappings_log_deletes
    after delete on public.bufdir_category_mappings
    referencing old table as changed_rows
    for each statement execute function stats.log_mapping_changes();

-- So does a version that is published, or valid from another year.
create or replace function stats.log_organization_changes() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: as above
begin
    perform stats.outdate_organizations(array(select c.organization_id from changed_rows c));
    return null;
end $$;
create or replace trigger bufdir_mapping_versions_log_inserts
    after insert on public.bufdir_mapping_versions
    referencing new table as changed_rows
    for each statement execute function stats.log_organization_changes();
create or replace trigger bufdir_mapping_versions_log_updates
    after update on public.bufdir_mapping_versions
    referencing new table as changed_rows
    for each statement execute function stats.log_organization_changes();
create or replace trigger bufdir_mapping_versions_log_deletes
    after delete on public.bufdir_mapping_versions
    referencing old table as changed_rows
    for each statement execute function stats.log_organization_changes();

-- With a type go its mappings; their trigger no longer finds whose they were.
create or replace trigger activity_types_log_deletions
    after delete on public.activity_types
    referencing old table as changed_rows
    for each statement execute function stats.log_organization_changes();

revoke execute on function
    stats.outdate_organizations(uuid[]), stats.log_mapping_changes(),
    stats.log_organization_changes()
    from public, anon, authenticated, service_role;
