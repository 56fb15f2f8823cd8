-- Purpose: reading, counting reads, warming up, computing all.
-- Locks: none. Data safety: new objects only.

create or replace function app.readable_unit(p_unit_id uuid) returns uuid
    language sql stable security definer set search_path = ''   -- DEFINER: decides from tables the caller may read only in part
    return (select u.id from public.organization_units u
            where u.id = p_unit_id and u.organization_id = app.member_org_id()
              and (app.profile_role() = 'org_admin' or u.id in (select app.visible_chapter_ids())));
comment on function app.readable_unit(uuid) is
    'The unit, if the caller may read its summary: an org admin any of the organisation, a coordinator their chapters; else null.';

-- Refuses what the caller may not read; the same answer for what does not exist.
create or replace function app.require_readable_unit(p_unit_id uuid, p_year integer) returns void
    language plpgsql stable security definer set search_path = '' as $$   -- DEFINER: as above
begin
    if p_year is null or p_year not between 2000 and 2099 then
        raise exception 'the year must be between 2000 and 2099' using errcode = 'invalid_parameter_value';
    end if;
    if app.readable_unit(p_unit_id) is null then
        raise exception 'no such unit among those you follow up' using errcode = 'insufficient_privilege';
    end if;
    if app.statistics_org_id() is null then
        raise exception 'the statistics of this organisation are switched off' using errcode = 'PT423';
    end if;
end $$;

create or replace function app.get_hierarchy_stats(p_unit_id uuid, p_year integer) returns jsonb
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: sums over chapters, after its own check
begin
    perform app.require_readable_unit(p_unit_id, p_year);
    perform app.take_turn('summary');   -- see create_work_limits
    lock table public.activities in access share mode;
    return stats.hierarchy_summary(p_unit_id, p_year);
end $$;

-- One statement, so that the entry, its marks and the logs are of one snapshot; null where nothing is cached.
create or replace function stats.cached_hierarchy_stats(p_unit_id uuid, p_year integer) returns jsonb
    language sql stable security invoker set search_path = ''
    return (select jsonb_build_object('unit_id', e.unit_id, 'year', e.period_year, 'payload', e.payload,
                                      'computed_at', e.computed_at, 'stale', stats.is_outdated(e))
            from public.hierarchy_stats_cache e where e.unit_id = p_unit_id and e.period_year = p_year);

-- A fresh or outdated entry at once, saying which; a missing one is computed.
create or replace function app.read_hierarchy_stats(p_unit_id uuid, p_year integer) returns jsonb
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: the cache is granted to nobody
declare
    v_answer jsonb;
begin
    perform app.require_readable_unit(p_unit_id, p_year);
    v_answer := stats.cached_hierarchy_stats(p_unit_id, p_year);
    if v_answer is null then
        -- the second of two readers waits for the first one's computation instead of doing it again
        perform pg_advisory_xact_lock(hashtext('fersk.hierarchy'), hashtext(p_unit_id::text || p_year));
        v_answer := stats.cached_hierarchy_stats(p_unit_id, p_year);
    end if;
    if v_answer is null then
        perform app.take_turn('summary');   -- see create_work_limits
        perform stats.compute_hierarchy_entry(p_unit_id, p_year);
        v_answer := stats.cached_hierarchy_stats(p_unit_id, p_year);
    end if;
    return v_answer;
end $$;

-- The API calls with the caller's rights; what runs with the owner's stands in app, after its check.
create or replace function public.get_hierarchy_stats(p_unit_id uuid, p_year integer) returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.get_hierarchy_stats(p_unit_id, p_year);
comment on function public.get_hierarchy_stats(uuid, integer) is 'The summary of a unit''s subtree in a year, computed now.';
create or replace function public.read_hierarchy_stats(p_unit_id uuid, p_year integer) returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.read_hierarchy_stats(p_unit_id, p_year);
comment on function public.read_hierarchy_stats(uuid, integer) is 'The cached summary of a unit and whether it is stale; computed first if missing.';

create or replace function public.refresh_hierarchy_entry(p_unit_id uuid, p_year integer) returns boolean
    language plpgsql volatile security definer set search_path = '' set statement_timeout = '30s' as $$   -- DEFINER: the service role's only door
begin
    return stats.compute_hierarchy_entry(p_unit_id, p_year);
end $$;
comment on function public.refresh_hierarchy_entry(uuid, integer) is 'Computes an entry anew; false if another session is at it. Service role only.';

create or replace function public.record_node_reads(p_reads jsonb) returns integer
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: as above
declare
    v_units integer;
begin
    insert into public.hierarchy_node_access as n (unit_id, reads, last_read_at)
    select u.id, r.value::double precision, now()
    from jsonb_each_text(p_reads) r join public.organization_units u on u.id = r.key::uuid
    order by u.id   -- two flushes at once lock in the same order
    on conflict (unit_id) do update
        set reads = stats.decayed_reads(n.reads, n.last_read_at, excluded.last_read_at) + excluded.reads, last_read_at = excluded.last_read_at;
    get diagnostics v_units = row_count;
    return v_units;
end $$;
comment on function public.record_node_reads(jsonb) is 'Adds counted reads, {unit_id: number}; flushed in batches by the function that counts them. Service role only.';

-- The most read nodes first, only those that are outdated, bounded by the organisation's settings and by time.
create or replace function public.warm_hierarchy_cache(p_organization_id uuid default null, p_seconds double precision default 5) returns jsonb
    language plpgsql volatile security definer set search_path = '' set statement_timeout = '60s' as $$   -- DEFINER: as above
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
            join public.organization_units u on u.id = n.unit_id and u.organization_id = s.organization_id
            order by 2 desc, 1
            limit s.warm_up_limit) n
        join public.hierarchy_stats_cache e on e.unit_id = n.unit_id
        where s.warm_up_enabled and s.statistics_enabled and (p_organization_id is null or s.organization_id = p_organization_id)
        order by n.reads desc, e.period_year desc, e.unit_id
    loop
        if not stats.is_outdated(v_entry) then
            continue;
        end if;
        if clock_timestamp() < v_deadline
            and pg_try_advisory_xact_lock(hashtext('fersk.hierarchy'), hashtext(v_entry.unit_id::text || v_entry.period_year)) then
            v_computed := v_computed || stats.computed_hierarchy_entry(v_entry.unit_id, v_entry.period_year);
        else
            v_skipped := v_skipped + 1;
        end if;
    end loop;
    -- Stored at the end, all at once: nobody who computes one of them waits for the others.
    perform stats.store_hierarchy_entries(v_computed);
    return jsonb_build_object('warmed', cardinality(v_computed), 'skipped', v_skipped);
end $$;
comment on function public.warm_hierarchy_cache(uuid, double precision) is
    'Computes the outdated ones among each organisation''s most read summaries; {warmed, skipped}. Service role only.';

create or replace function public.precompute_hierarchy(p_organization_id uuid, p_year integer) returns integer
    language plpgsql volatile security definer set search_path = '' set statement_timeout = '120s' as $$   -- DEFINER: as above
declare
    v_entries public.hierarchy_stats_cache[];
begin
    lock table public.activities in access share mode;
    select array_agg(row(s.unit_id, p_year, s.payload, clock_timestamp(),
                         stats.current_mark(s.unit_id, p_year))::public.hierarchy_stats_cache)
    into v_entries from stats.hierarchy_summaries(p_organization_id, p_year) s;   -- one statement, as above
    return stats.store_hierarchy_entries(v_entries);
end $$;
comment on function public.precompute_hierarchy(uuid, integer) is 'Computes every unit of an organisation for a year, in one statement. Service role only.';

revoke execute on function stats.cached_hierarchy_stats(uuid, integer), app.readable_unit(uuid), app.require_readable_unit(uuid, integer), app.get_hierarchy_stats(uuid, integer),
    app.read_hierarchy_stats(uuid, integer), public.get_hierarchy_stats(uuid, integer), public.read_hierarchy_stats(uuid, integer),
    public.refresh_hierarchy_entry(uuid, integer), public.record_node_reads(jsonb),
    public.warm_hierarchy_cache(uuid, double precision), public.precompute_hierarchy(uuid, integer)
    from public, anon, authenticated, service_role;
grant execute on function app.get_hierarchy_stats(uuid, integer), app.read_hierarchy_stats(uuid, integer),
    public.get_hierarchy_stats(uuid, integer), public.read_hierarchy_stats(uuid, integer) to authenticated;
grant execute on function public.refresh_hierarchy_entry(uuid, integer), public.record_node_reads(jsonb),
    public.warm_hierarchy_cache(uuid, double precision), public.precompute_hierarchy(uuid, integer) to service_role;
