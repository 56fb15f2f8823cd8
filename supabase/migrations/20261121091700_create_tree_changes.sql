-- Purpose: the log of what outdates the summaries of every year: units moved or deleted, types
-- categorised anew.
-- Locks: brief, SHARE ROW EXCLUSIVE on the tables that get triggers. Data safety: new objects only.
--
-- What activities outdate, the change log says already. Append-only as well: no writer touches a
-- row that another one touches, least of all the national unit's. stats.unit_changes shows what of
-- both no fold has taken.

create table if not exists stats.tree_changes (
    id              bigint      generated always as identity,
    changed_at      timestamptz not null default clock_timestamp(),
    organization_id uuid        not null,
    unit_id         uuid        not null
);
comment on table stats.tree_changes is
    'Append-only: units moved, deleted or categorised anew, which outdates every year; emptied by '
    'the fold.';
alter table stats.tree_changes enable row level security;   -- deny-all: no policy

create or replace view stats.unit_changes as
    select c.id, c.changed_at, c.organization_id, c.chapter_id as unit_id,
           c.bucket_date as changed_on
    from stats.activity_changes c
    union all
    select c.id, c.changed_at, c.organization_id, c.unit_id, null from stats.tree_changes c;
comment on view stats.unit_changes is
    'Units whose summary, and whose ancestors'', is outdated, and that no fold has marked; '
    'changed_on is null for every year.';

-- A unit that moves outdates the ancestors it leaves and those it joins, in every year.
create or replace function stats.log_unit_moves() returns trigger
    -- DEFINER: writers hold no rights on stats
    language plpgsql security definer set search_path = '' as $$
begin
    insert into stats.tree_changes (organization_id, unit_id)
    select old.organization_id, p.id from unnest(array[old.parent_id, new.parent_id]) p (id)
        where p.id is not null;
    return null;
end $$;
create or replace trigger organization_units_log_moves after update on public.organization_units
    for each row when (old.parent_id is distinct from new.parent_id)
        execute function stats.log_unit_moves();

-- A unit that is deleted takes its own part of the log out of the tree, so its parent is named.
create or replace function stats.log_unit_deletions() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: as above
begin
    insert into stats.tree_changes (organization_id, unit_id)
    select distinct o.organization_id, o.parent_id from old_rows o where o.parent_id is not null;
    return null;
end $$;
create or replace trigger organization_units_log_deletions after delete on public.organization_units
    referencing old table as old_rows for each statement
        execute function stats.log_unit_deletions();

-- A changed mapping outdates the categories everywhere in the organisation: its leaves, and so all
-- above them.
create or replace function stats.log_mapping_changes() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: as above
begin
    insert into stats.tree_changes (organization_id, unit_id)
    select u.organization_id, u.id
    from public.organization_units u
    where u.organization_id in (select t.organization_id from public.activity_types t
                                join changed_rows c on c.activity_type_id = t.id)
      -- the leaves: every unit contains one
      and not exists (select from public.organization_units b where b.parent_id = u.id);
    return null;
end $$;
create or replace trigger bufdir_category_mappings_log_inserts after insert
    on public.bufdir_category_mappings
    referencing new table as changed_rows for each statement
        execute function stats.log_mapping_changes();
create or replace trigger bufdir_category_mappings_log_updates after update
    on public.bufdir_category_mappings
    referencing new table as changed_rows for each statement
        execute function stats.log_mapping_changes();
create or replace trigger bufdir_category_mappings_log_moved after update
    on public.bufdir_category_mappings
    referencing old table as changed_rows for each statement
        execute function stats.log_mapping_changes();
create or replace trigger bufdir_category_mappings_log_deletes after delete
    on public.bufdir_category_mappings
    referencing old table as changed_rows for each statement
        execute function stats.log_mapping_changes();

-- With a type go its mappings; their trigger no longer finds whose they were.
create or replace function stats.log_type_deletions() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: as above
begin
    insert into stats.tree_changes (organization_id, unit_id)
    select u.organization_id, u.id from public.organization_units u
    where u.organization_id in (select t.organization_id from changed_rows t)
      and not exists (select from public.organization_units b where b.parent_id = u.id);
    return null;
end $$;
create or replace trigger activity_types_log_deletions after delete on public.activity_types
    referencing old table as changed_rows for each statement
        execute function stats.log_type_deletions();

revoke all on stats.tree_changes, stats.unit_changes from public, anon, authenticated, service_role;
revoke all on sequence stats.tree_changes_id_seq from public, anon, authenticated, service_role;
revoke execute on function stats.log_unit_moves(), stats.log_unit_deletions(),
    stats.log_mapping_changes(),
    stats.log_type_deletions() from public, anon, authenticated, service_role;
