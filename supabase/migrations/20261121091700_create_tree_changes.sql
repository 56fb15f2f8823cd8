-- Purpose: the log of what outdates the summaries of every year, and the units that move or go.
-- Locks: brief, SHARE ROW EXCLUSIVE on organization_units. Data safety: new objects only.
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
    select c.id, c.changed_at, c.organization_id,
           c.chapter_id as unit_id, c.bucket_date as changed_on
    from stats.activity_changes c
    union all
    select c.id, c.changed_at, c.organization_id, c.unit_id, null
    from stats.tree_changes c;
comment on view stats.unit_changes is
    'Units whose summary, and whose ancestors'', is outdated, and that no fold has marked; '
    'changed_on is null for every year.';

-- A unit that moves outdates the ancestors it leaves and those it joins, in every year.
create or replace function stats.log_unit_moves() returns trigger
    -- DEFINER: writers hold no rights on stats
    language plpgsql security definer set search_path = '' as $$
begin
    insert into stats.tree_changes (organization_id, unit_id)
    select old.organization_id, p.id
    from unnest(array[old.parent_id, new.parent_id]) p (id)
    where p.id is not null;
    return null;
end $$;
create or replace trigger organization_units_log_moves
    after update on public.organization_units
    for each row when (old.parent_id is distinct from new.parent_id)
    execute function stats.log_unit_moves();

-- A unit that is deleted takes its own part of the log out of the tree, so its parent is named.
create or replace function stats.log_unit_deletions() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: as above
begin
    insert into stats.tree_changes (organization_id, unit_id)
    select distinct o.organization_id, o.parent_id
    from old_rows o
    where o.parent_id is not null;
    return null;
end $$;
create or replace trigger organization_units_log_deletions
    after delete on public.organization_units
    referencing old table as old_rows
    for each statement execute function stats.log_unit_deletions();

revoke all on stats.tree_changes, stats.unit_changes
    from public, anon, authenticated, service_role;
revoke all on sequence stats.tree_changes_id_seq from public, anon, authenticated, service_role;
revoke execute on function stats.log_unit_moves(), stats.log_unit_deletions()
    from public, anon, authenticated, service_role;
