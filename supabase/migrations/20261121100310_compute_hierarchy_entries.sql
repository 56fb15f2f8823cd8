-- Purpose: computing and storing cached summaries, and finding those that are wrong.
-- Locks: none. Data safety: new objects only.

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

create or replace function stats.store_hierarchy_entries(p_entries public.hierarchy_stats_cache[])
    returns integer
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_stored integer;
begin
    insert into public.hierarchy_stats_cache as e
        (unit_id, period_year, payload, computed_at, computed_at_mark)
    select n.unit_id, n.period_year, n.payload, n.computed_at, n.computed_at_mark
    from unnest(p_entries) n
    order by n.unit_id, n.period_year   -- two at once lock in the same order
    on conflict (unit_id, period_year) do update
        set payload = excluded.payload,
            computed_at = excluded.computed_at,
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
    if not pg_try_advisory_xact_lock(
        hashtext('fersk.hierarchy'), hashtext(p_unit_id::text || p_year)) then
        return false;
    end if;
    perform stats.store_hierarchy_entries(array[stats.computed_hierarchy_entry(p_unit_id, p_year)]);
    return true;
end $$;

-- For the audit: cached summaries that call themselves fresh and are not what a computation gives.
-- All of them, an organisation and year in one statement, or those of the named units.
create or replace function stats.wrong_summaries(p_unit_ids uuid[]) returns setof uuid
    language sql stable security invoker set search_path = '' as $$
    select e.unit_id
    from (
        select distinct u.organization_id, c.period_year
        from public.hierarchy_stats_cache c
        join public.organization_units u on u.id = c.unit_id
        where p_unit_ids is null
    ) y
    cross join lateral stats.hierarchy_summaries(y.organization_id, y.period_year) s
    join public.hierarchy_stats_cache e
        on e.unit_id = s.unit_id and e.period_year = y.period_year
    where e.payload is distinct from s.payload and not stats.is_outdated(e)
    union
    select e.unit_id
    from public.hierarchy_stats_cache e
    where e.unit_id = any (p_unit_ids)
      and not stats.is_outdated(e)
      and e.payload is distinct from stats.hierarchy_summary(e.unit_id, e.period_year)
$$;

revoke execute on function
    stats.computed_hierarchy_entry(uuid, integer),
    stats.store_hierarchy_entries(public.hierarchy_stats_cache[]),
    stats.compute_hierarchy_entry(uuid, integer), stats.wrong_summaries(uuid[])
    from public, anon, authenticated, service_role;
