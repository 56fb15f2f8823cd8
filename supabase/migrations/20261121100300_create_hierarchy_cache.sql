-- Purpose: the cached summary of each unit and year, and the rule that tells whether it is outdated.
-- Locks: none. Data safety: new objects only.
--
-- An entry knows the database snapshot it was computed in (source_position). It is outdated if a change to its subtree
-- is still pending and not visible in that snapshot, or if it was marked by a drain that is not. So no read
-- calls an outdated entry fresh, whatever becomes of the webhook, and an entry computed before a change cannot
-- overwrite the mark set after it: marks and computations write different columns.

create table if not exists public.hierarchy_stats_cache (
    unit_id         uuid        not null references public.organization_units (id) on delete cascade,
    period_year     integer     not null check (period_year = 0 or period_year between 2000 and 2099),
    payload         jsonb,
    computed_at     timestamptz,
    source_position pg_snapshot,
    source_xid      xid8,
    invalidated_at  timestamptz,
    invalidated_xid xid8,
    primary key (unit_id, period_year)
);
comment on table public.hierarchy_stats_cache is 'Summaries of units by year; read through hierarchy_stats. A row without payload only carries a mark.';
comment on column public.hierarchy_stats_cache.period_year is 'The year (UTC); 0 carries marks that concern every year.';
comment on column public.hierarchy_stats_cache.source_position is 'The database snapshot that the payload was computed in.';
comment on column public.hierarchy_stats_cache.source_xid is 'The computing transaction: a snapshot says nothing about it, so its own changes count as not contained.';
comment on column public.hierarchy_stats_cache.invalidated_xid is 'The last drain that marked it; the entry is outdated unless that is visible in source_position.';
alter table public.hierarchy_stats_cache enable row level security;   -- deny-all: no policy; read through functions

create table if not exists public.hierarchy_node_access (
    unit_id      uuid             primary key references public.organization_units (id) on delete cascade,
    reads        double precision not null default 0,
    last_read_at timestamptz      not null
);
comment on table public.hierarchy_node_access is 'How often each unit''s summary is read: reads halve every day, so that yesterday''s favourites fade.';
create index if not exists hierarchy_node_access_last_read_at_idx on public.hierarchy_node_access (last_read_at desc);
alter table public.hierarchy_node_access enable row level security;   -- deny-all: no policy

create or replace function stats.decayed_reads(p_reads double precision, p_last_read_at timestamptz, p_now timestamptz) returns double precision
    language sql immutable security invoker set search_path = ''
    return p_reads * power(0.5, extract(epoch from p_now - p_last_read_at)::double precision / 86400);

create or replace function stats.is_outdated(p_entry public.hierarchy_stats_cache) returns boolean
    language sql stable security invoker set search_path = '' as $$
    with recursive subtree (id, level) as (
        select p_entry.unit_id, 1
        union all
        select u.id, s.level + 1 from subtree s join public.organization_units u on u.parent_id = s.id where s.level < 5
    )
    -- from the future: restored from another cluster, where its position meant something
    select pg_snapshot_xmax(p_entry.source_position) > pg_snapshot_xmax(pg_current_snapshot())
        or exists (
               select from public.hierarchy_stats_cache m
               where m.unit_id = p_entry.unit_id and m.period_year in (0, p_entry.period_year)
                 and (m.invalidated_xid = p_entry.source_xid or not pg_visible_in_snapshot(m.invalidated_xid, p_entry.source_position)))
        or exists (
               select from public.organization_units u
               join stats.unit_changes c on c.organization_id = u.organization_id
               where u.id = p_entry.unit_id
                 and (c.xid = p_entry.source_xid or not pg_visible_in_snapshot(c.xid, p_entry.source_position))
                 and (c.changed_on is null or extract(year from c.changed_on)::integer = p_entry.period_year)
                 -- the root contains every unit of its organisation: no walk
                 and (u.parent_id is null or c.unit_id in (select s.id from subtree s)))
$$;
comment on function stats.is_outdated(public.hierarchy_stats_cache) is 'Whether a cached summary differs, or may differ, from what a computation now would give.';

create or replace function stats.computed_hierarchy_entry(p_unit_id uuid, p_year integer) returns public.hierarchy_stats_cache
    language sql volatile security invoker set search_path = ''   -- one statement, so payload and position agree
begin atomic
    select p_unit_id, p_year, stats.hierarchy_summary(p_unit_id, p_year), clock_timestamp(), pg_current_snapshot(), pg_current_xact_id(),
           null::timestamptz, null::xid8;
end;

create or replace function stats.store_hierarchy_entries(p_entries public.hierarchy_stats_cache[]) returns integer
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_stored integer;
begin
    insert into public.hierarchy_stats_cache as e (unit_id, period_year, payload, computed_at, source_position, source_xid)
    select n.unit_id, n.period_year, n.payload, n.computed_at, n.source_position, n.source_xid
    from unnest(p_entries) n
    order by n.unit_id, n.period_year   -- as take_unit_changes locks
    on conflict (unit_id, period_year) do update
        set payload = excluded.payload, computed_at = excluded.computed_at, source_position = excluded.source_position,
            source_xid = excluded.source_xid,
            invalidated_at = case when pg_visible_in_snapshot(e.invalidated_xid, excluded.source_position) then null else e.invalidated_at end
        -- never replace a newer computation by an older one, unless it comes from another cluster
        where e.source_position is null or pg_snapshot_xmax(e.source_position) <= pg_snapshot_xmax(excluded.source_position)
           or pg_snapshot_xmax(e.source_position) > pg_snapshot_xmax(pg_current_snapshot());
    get diagnostics v_stored = row_count;
    return v_stored;
end $$;

-- Unless another session is just doing that.
create or replace function stats.compute_hierarchy_entry(p_unit_id uuid, p_year integer) returns boolean
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    if not pg_try_advisory_xact_lock(hashtext('fersk.hierarchy'), hashtext(p_unit_id::text || p_year)) then
        return false;
    end if;
    perform stats.store_hierarchy_entries(array[stats.computed_hierarchy_entry(p_unit_id, p_year)]);
    return true;
end $$;

revoke all on public.hierarchy_stats_cache, public.hierarchy_node_access from public, anon, authenticated, service_role;
grant select on public.hierarchy_stats_cache, public.hierarchy_node_access to service_role;
revoke execute on function stats.decayed_reads(double precision, timestamptz, timestamptz),
    stats.is_outdated(public.hierarchy_stats_cache), stats.computed_hierarchy_entry(uuid, integer),
    stats.store_hierarchy_entries(public.hierarchy_stats_cache[]), stats.compute_hierarchy_entry(uuid, integer)
    from public, anon, authenticated, service_role;
