-- Purpose: the second log: which units' summaries a transaction outdated. Drained by the invalidation.
-- Locks: brief, SHARE ROW EXCLUSIVE on the tables that get triggers. Data safety: new objects only.
--
-- Append-only like the change log: no writer touches a row that another one touches, least of all the national unit's.

create table if not exists stats.unit_changes (
    id              bigint      generated always as identity primary key,
    xid             xid8        not null default pg_current_xact_id(),
    changed_at      timestamptz not null default clock_timestamp(),
    organization_id uuid        not null,
    unit_id         uuid        not null,
    changed_on      date
);
comment on table stats.unit_changes is 'Append-only: units whose summary, and whose ancestors'', a transaction outdated; drained by take_unit_changes.';
comment on column stats.unit_changes.changed_on is 'The UTC day of the activity; null when every year is affected.';
create index if not exists unit_changes_organization_id_idx on stats.unit_changes (organization_id);
alter table stats.unit_changes enable row level security;   -- deny-all: no policy

create or replace function stats.log_unit_changes() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: writers hold no rights on stats
begin
    if tg_op = 'INSERT' then
        insert into stats.unit_changes (organization_id, unit_id, changed_on)
        select distinct n.organization_id, n.unit_id, (n.occurred_at at time zone 'UTC')::date from new_rows n where n.is_counted;
    elsif tg_op = 'DELETE' then
        insert into stats.unit_changes (organization_id, unit_id, changed_on)
        select distinct o.organization_id, o.unit_id, (o.occurred_at at time zone 'UTC')::date from old_rows o where o.is_counted;
    else
        -- where old and new rows are the same in all that a summary shows, nothing is outdated
        insert into stats.unit_changes (organization_id, unit_id, changed_on)
        select distinct c.organization_id, c.unit_id, (c.occurred_at at time zone 'UTC')::date
        from (
            select o.id, o.organization_id, o.unit_id, o.occurred_at, o.peer_mentor_id, o.activity_type_id, o.contact_id,
                   o.duration_minutes, o.participant_count, o.approved_expenses_nok
            from old_rows o where o.is_counted
            union all
            select n.id, n.organization_id, n.unit_id, n.occurred_at, n.peer_mentor_id, n.activity_type_id, n.contact_id,
                   n.duration_minutes, n.participant_count, n.approved_expenses_nok
            from new_rows n where n.is_counted
        ) c
        where not exists (
            select from old_rows o join new_rows n on n.id = o.id
            where o.id = c.id and o.is_counted and n.is_counted
              and (o.organization_id, o.unit_id, o.occurred_at, o.peer_mentor_id, o.activity_type_id,
                   o.duration_minutes, o.participant_count, o.approved_expenses_nok)
                = (n.organization_id, n.unit_id, n.occurred_at, n.peer_mentor_id, n.activity_type_id,
                   n.duration_minutes, n.participant_count, n.approved_expenses_nok)
              and o.contact_id is not distinct from n.contact_id);
    end if;
    return null;
end $$;
create or replace trigger activities_log_unit_inserts after insert on public.activities
    referencing new table as new_rows
    for each statement execute function stats.log_unit_changes();
create or replace trigger activities_log_unit_updates after update on public.activities
    referencing old table as old_rows new table as new_rows
    for each statement execute function stats.log_unit_changes();
create or replace trigger activities_log_unit_deletes after delete on public.activities
    referencing old table as old_rows
    for each statement execute function stats.log_unit_changes();

-- A unit that moves outdates the ancestors it leaves and those it joins, in every year.
create or replace function stats.log_unit_moves() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: as above
begin
    insert into stats.unit_changes (organization_id, unit_id)
    select old.organization_id, p.id from unnest(array[old.parent_id, new.parent_id]) p (id) where p.id is not null;
    return null;
end $$;
create or replace trigger organization_units_log_moves after update on public.organization_units
    for each row when (old.parent_id is distinct from new.parent_id) execute function stats.log_unit_moves();

-- A unit that is deleted takes its own part of the log out of the tree, so its parent is named.
create or replace function stats.log_unit_deletions() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: as above
begin
    insert into stats.unit_changes (organization_id, unit_id)
    select distinct o.organization_id, o.parent_id from old_rows o where o.parent_id is not null;
    return null;
end $$;
create or replace trigger organization_units_log_deletions after delete on public.organization_units
    referencing old table as old_rows for each statement execute function stats.log_unit_deletions();

-- A changed mapping outdates the categories everywhere in the organisation: its leaves, and so all above them.
create or replace function stats.log_mapping_changes() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: as above
begin
    insert into stats.unit_changes (organization_id, unit_id)
    select u.organization_id, u.id
    from public.organization_units u
    where u.organization_id in (select t.organization_id from public.activity_types t join changed_rows c on c.activity_type_id = t.id)
      and not exists (select from public.organization_units b where b.parent_id = u.id);   -- the leaves: every unit contains one
    return null;
end $$;
create or replace trigger bufdir_category_mappings_log_inserts after insert on public.bufdir_category_mappings
    referencing new table as changed_rows for each statement execute function stats.log_mapping_changes();
create or replace trigger bufdir_category_mappings_log_updates after update on public.bufdir_category_mappings
    referencing new table as changed_rows for each statement execute function stats.log_mapping_changes();
create or replace trigger bufdir_category_mappings_log_moved after update on public.bufdir_category_mappings
    referencing old table as changed_rows for each statement execute function stats.log_mapping_changes();
create or replace trigger bufdir_category_mappings_log_deletes after delete on public.bufdir_category_mappings
    referencing old table as changed_rows for each statement execute function stats.log_mapping_changes();

-- With a type go its mappings; their trigger no longer finds whose they were.
create or replace function stats.log_type_deletions() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: as above
begin
    insert into stats.unit_changes (organization_id, unit_id)
    select u.organization_id, u.id from public.organization_units u
    where u.organization_id in (select t.organization_id from changed_rows t)
      and not exists (select from public.organization_units b where b.parent_id = u.id);
    return null;
end $$;
create or replace trigger activity_types_log_deletions after delete on public.activity_types
    referencing old table as changed_rows for each statement execute function stats.log_type_deletions();

revoke all on stats.unit_changes from public, anon, authenticated, service_role;
revoke execute on function stats.log_unit_changes(), stats.log_unit_moves(), stats.log_unit_deletions(), stats.log_mapping_changes(),
    stats.log_type_deletions()
    from public, anon, authenticated, service_role;
