-- Purpose: the cached summary of each unit and year, and the rule that tells whether it is
-- outdated.
-- Locks: none. Data safety: new objects only.
--
-- An entry keeps the marks that it was computed with: those of its year and those of every year
-- (stats.marks), read in the statement that summed. It is fresh exactly when they are the same now
-- and the logs hold nothing for its subtree. One statement has one snapshot, so a change is seen
-- either in the log or as a mark; a fold that commits while an entry is computed leaves it
-- outdated, never wrongly fresh.

create table if not exists public.hierarchy_stats_cache (
    unit_id          uuid        not null references public.organization_units (id)
        on delete cascade,
    period_year      integer     not null check (period_year between 2000 and 2099),
    payload          jsonb       not null,
    computed_at      timestamptz not null,
    computed_at_mark bigint      not null,
    primary key (unit_id, period_year)
);
comment on table public.hierarchy_stats_cache is
    'Summaries of units by year (UTC); read through hierarchy_stats.';
comment on column public.hierarchy_stats_cache.computed_at_mark is
    'The unit''s marks of the year and of every year, in the snapshot that the payload was '
    'computed in.';
-- deny-all: no policy; read through functions
alter table public.hierarchy_stats_cache enable row level security;

create table if not exists public.hierarchy_node_access (
    unit_id      uuid             primary key references public.organization_units (id)
        on delete cascade,
    reads        double precision not null default 0
        check (reads >= 0 and reads < 'Infinity'),   -- nor NaN
    last_read_at timestamptz      not null
);
comment on table public.hierarchy_node_access is
    'How often each unit''s summary is read: reads halve every day, so that yesterday''s '
    'favourites fade.';
create index if not exists hierarchy_node_access_last_read_at_idx
    on public.hierarchy_node_access (last_read_at desc);
alter table public.hierarchy_node_access enable row level security;   -- deny-all: no policy

create or replace function stats.decayed_reads(p_reads double precision, p_last_read_at timestamptz,
    p_now timestamptz)
    returns double precision
    language sql immutable security invoker set search_path = ''
    -- a time in the future counts as now: the clock was set back
    return p_reads * power(0.5, greatest(extract(epoch from p_now - p_last_read_at), 0)::double precision / 86400);

-- Each of the two only ever grows, so equal sums mean that both are unchanged.
create or replace function stats.current_mark(p_unit_id uuid, p_year integer) returns bigint
    language sql stable security invoker set search_path = ''
    return (select coalesce(sum(m.marks), 0)::bigint from stats.marks m
            where m.unit_id = p_unit_id and m.period_year in (0, p_year));

create or replace function stats.is_outdated(p_entry public.hierarchy_stats_cache) returns boolean
    language sql stable security invoker set search_path = '' as $$
    with recursive subtree (id, level) as (
        select p_entry.unit_id, 1
        union all
        select u.id, s.level + 1 from subtree s join public.organization_units u
            on u.parent_id = s.id where s.level < 5
    )
    select p_entry.computed_at_mark <> stats.current_mark(p_entry.unit_id, p_entry.period_year)
        or exists (
               select from public.organization_units u
               join stats.unit_changes c on c.organization_id = u.organization_id
               where u.id = p_entry.unit_id
                 and (c.changed_on is
                     null or extract(year from c.changed_on)::integer = p_entry.period_year)
                 -- the root contains every unit of its organisation: no walk
                 and (u.parent_id is null or c.unit_id in (select s.id from subtree s)))
$$;
comment on function stats.is_outdated(public.hierarchy_stats_cache) is
    'Whether a cached summary differs, or may differ, from what a computation now would give.';

create or replace function stats.computed_hierarchy_entry(p_unit_id uuid, p_year integer)
    returns public.hierarchy_stats_cache
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_entry public.hierarchy_stats_cache;
begin
    lock table public.activities in access share mode;
    select p_unit_id, p_year, stats.hierarchy_summary(p_unit_id, p_year), clock_timestamp(),
           stats.current_mark(p_unit_id, p_year)
    into v_entry;   -- one statement, so that payload and mark agree
    return v_entry;
end $$;

-- For the audit: cached summaries that call themselves fresh and are not what a computation gives.
-- All of them, an organisation and year in one statement, or those of the named units.
create or replace function stats.wrong_summaries(p_unit_ids uuid[]) returns setof uuid
    language sql stable security invoker set search_path = '' as $$
    select e.unit_id
    from (select distinct u.organization_id, c.period_year
          from public.hierarchy_stats_cache c
          join public.organization_units u on u.id = c.unit_id
          where p_unit_ids is null) y
    cross join lateral stats.hierarchy_summaries(y.organization_id, y.period_year) s
    join public.hierarchy_stats_cache e on e.unit_id = s.unit_id and e.period_year = y.period_year
    where e.payload is distinct from s.payload and not stats.is_outdated(e)
    union
    select e.unit_id from public.hierarchy_stats_cache e
    where e.unit_id = any (p_unit_ids) and not stats.is_outdated(e)
      and e.payload is distinct from stats.hierarchy_summary(e.unit_id, e.period_year)
$$;

create or replace function stats.store_hierarchy_entries(p_entries public.hierarchy_stats_cache[])
    returns integer
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_stored integer;
begin
    insert into public.hierarchy_stats_cache as e (unit_id, period_year, payload, computed_at,
        computed_at_mark)
    select n.unit_id, n.period_year, n.payload, n.computed_at, n.computed_at_mark
    from unnest(p_entries) n
    order by n.unit_id, n.period_year   -- two at once lock in the same order
    on conflict (unit_id, period_year) do update
        set payload = excluded.payload, computed_at = excluded.computed_at,
            computed_at_mark = excluded.computed_at_mark
        -- never an older computation in place of a newer one, unless that has marks which nobody
        -- ever set
        where e.computed_at_mark <= excluded.computed_at_mark
           or e.computed_at_mark > stats.current_mark(e.unit_id, e.period_year);
    get diagnostics v_stored = row_count;
    return v_stored;
end $$;

-- Unless another session is just doing that.
create or replace function stats.compute_hierarchy_entry(p_unit_id uuid, p_year integer)
    returns boolean
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    if not pg_try_advisory_xact_lock(hashtext('fersk.hierarchy'),
        hashtext(p_unit_id::text || p_year)) then
        return false;
    end if;
    perform stats.store_hierarchy_entries(array[stats.computed_hierarchy_entry(p_unit_id, p_year)]);
    return true;
end $$;

revoke all on public.hierarchy_stats_cache, public.hierarchy_node_access
    from public, anon, authenticated, service_role;
grant select on public.hierarchy_stats_cache, public.hierarchy_node_access to service_role;
revoke execute on function stats.decayed_reads(double precision, timestamptz, timestamptz),
    stats.current_mark(uuid, integer), stats.is_outdated(public.hierarchy_stats_cache),
    stats.computed_hierarchy_entry(uuid, integer),
        stats.store_hierarchy_entries(public.hierarchy_stats_cache[]),
    stats.compute_hierarchy_entry(uuid, integer), stats.wrong_summaries(uuid[])
    from public, anon, authenticated, service_role;
