-- Purpose: computing summaries before anybody asks: one, the most read, or all.
-- Locks: none. Data safety: new objects only.

create or replace function public.refresh_hierarchy_entry(p_unit_id uuid, p_year integer)
    returns boolean
    -- DEFINER: the service role's only door
    language plpgsql volatile security definer set search_path = ''
    set statement_timeout = '30s' as $$
begin
    return stats.compute_hierarchy_entry(p_unit_id, p_year);
end $$;
comment on function public.refresh_hierarchy_entry(uuid, integer) is
    'Computes an entry anew; false if another session is at it. Service role only.';

-- The most read nodes first, only those that are outdated, bounded by the organisation's settings
-- and by time.
create or replace function public.warm_hierarchy_cache(
    p_organization_id uuid default null, p_seconds double precision default 5)
    returns jsonb
    -- DEFINER: as above
    language plpgsql volatile security definer set search_path = ''
    set statement_timeout = '60s' as $$
declare
    v_deadline timestamptz := clock_timestamp() + make_interval(secs => p_seconds);
    v_entry    public.hierarchy_stats_cache;
    v_computed public.hierarchy_stats_cache[] := array[]::public.hierarchy_stats_cache[];
    v_skipped  integer := 0;
begin
    for v_entry in
        select e.*
        from public.organization_settings s
        cross join lateral (
            select n.unit_id, stats.decayed_reads(n.reads, n.last_read_at, now()) as reads
            from public.hierarchy_node_access n
            join public.organization_units u
                on u.id = n.unit_id and u.organization_id = s.organization_id
            order by 2 desc, 1
            limit s.warm_up_limit
        ) n
        join public.hierarchy_stats_cache e on e.unit_id = n.unit_id
        where s.warm_up_enabled
          and s.statistics_enabled
          and (p_organization_id is null or s.organization_id = p_organization_id)
        order by n.reads desc, e.period_year desc, e.unit_id
    loop
        if not stats.is_outdated(v_entry) then
            continue;
        end if;
        if clock_timestamp() < v_deadline
            and pg_try_advisory_xact_lock(
                hashtext('fersk.hierarchy'),
                hashtext(v_entry.unit_id::text || v_entry.period_year)) then
            v_computed := v_computed
                || stats.computed_hierarchy_entry(v_entry.unit_id, v_entry.period_year);
        else
            v_skipped := v_skipped + 1;
        end if;
    end loop;
    -- Stored at the end, all at once: nobody who computes one of them waits for the others.
    perform stats.store_hierarchy_entries(v_computed);
    return jsonb_build_object('warmed', cardinality(v_computed), 'skipped', v_skipped);
end $$;
comment on function public.warm_hierarchy_cache(uuid, double precision) is
    'Computes the outdated ones among each organisation''s most read summaries; {warmed, skipped}. '
    'Service role only.';

create or replace function public.precompute_hierarchy(p_organization_id uuid, p_year integer)
    returns integer
    -- DEFINER: as above
    language plpgsql volatile security definer set search_path = ''
    set statement_timeout = '120s' as $$
declare
    v_entries public.hierarchy_stats_cache[];
begin
    lock table public.activities in access share mode;
    -- one statement, so that payload and mark agree
    select array_agg(row(s.unit_id, p_year, s.payload, clock_timestamp(),
                         stats.current_mark(s.unit_id, p_year))::public.hierarchy_stats_cache)
    into v_entries
    from stats.hierarchy_summaries(p_organization_id, p_year) s;
    return stats.store_hierarchy_entries(v_entries);
end $$;
comment on function public.precompute_hierarchy(uuid, integer) is
    'Computes every unit of an organisation for a year, in one statement. Service role only.';

revoke execute on function
    public.refresh_hierarchy_entry(uuid, integer),
    public.warm_hierarchy_cache(uuid, double precision),
    public.precompute_hierarchy(uuid, integer)
    from public, anon, authenticated, service_role;
grant execute on function
    public.refresh_hierarchy_entry(uuid, integer),
    public.warm_hierarchy_cache(uuid, double precision),
    public.precompute_hierarchy(uuid, integer)
    to service_role;
