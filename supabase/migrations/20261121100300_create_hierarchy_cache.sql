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
    unit_id          uuid        not null
        references public.organization_units (id) on delete cascade,
    period_year      integer     not null check (period_year between 2000 and 2099),
    payload          jsonb       not null,
    computed_at      timestamptz not null,
    computed_at_mark bigint      not null,
    primary key (unit_id, period_year)
);
comment on table public.hierarchy_stats_cache is
    'Summaries of units by year; read through hierarchy_stats.';
comment on column public.hierarchy_stats_cache.computed_at_mark is
    'The unit''s marks of the year and of every year, in the snapshot that the payload was '
    'computed in.';
-- deny-all: no policy; read through functions
alter table public.hierarchy_stats_cache enable row level security;

-- Each of the two only ever grows, so equal sums mean that both are unchanged.
create or replace function stats.current_mark(p_unit_id uuid, p_year integer) returns bigint
    language sql stable security invoker set search_path = ''
    return (
        select coalesce(sum(m.marks), 0)::bigint
        from stats.marks m
        where m.unit_id = p_unit_id and m.period_year in (0, p_year));

create or replace function stats.is_outdated(p_entry public.hierarchy_stats_cache) returns boolean
    language sql stable security invoker set search_path = '' as $$
    select p_entry.computed_at_mark <> stats.current_mark(p_entry.unit_id, p_entry.period_year)
        or exists (
            select from public.organization_units u
            join stats.unit_changes c on c.organization_id = u.organization_id
            where u.id = p_entry.unit_id
              and (c.changed_on is null
                   or extract(year from c.changed_on)::integer = p_entry.period_year)
              -- the root contains every unit of its organisation: no walk
              and (u.parent_id is null
                   or c.unit_id in (select s from app.unit_subtree(p_entry.unit_id) s)))
$$;
comment on function stats.is_outdated(public.hierarchy_stats_cache) is
    'Whether a cached summary differs, or may differ, from what a computation now would give.';

revoke all on public.hierarchy_stats_cache from public, anon, authenticated, service_role;
grant select on public.hierarchy_stats_cache to service_role;
revoke execute on function
    stats.current_mark(uuid, integer), stats.is_outdated(public.hierarchy_stats_cache)
    from public, anon, authenticated, service_role;
