-- Purpose: reading a unit's summary: computed now, or as it is cached.
-- Locks: none. Data safety: new objects only.

create or replace function app.readable_unit(p_unit_id uuid) returns uuid
    -- DEFINER: decides from tables the caller may read only in part
    language sql stable security definer set search_path = ''
    return (
        select u.id from public.organization_units u
        where u.id = p_unit_id
          and u.organization_id = app.member_org_id()
          and (app.profile_role() = 'org_admin' or u.id in (select app.visible_chapter_ids())));
comment on function app.readable_unit(uuid) is
    'The unit, if the caller may read its summary: an org admin any of the organisation, a '
    'coordinator their chapters; else null.';

-- Refuses what the caller may not read; the same answer for what does not exist.
create or replace function app.require_readable_unit(p_unit_id uuid, p_year integer) returns void
    language plpgsql stable security definer set search_path = '' as $$   -- DEFINER: as above
begin
    if p_year is null or p_year not between 2000 and 2099 then
        raise exception 'the year must be between 2000 and 2099'
            using errcode = 'invalid_parameter_value';
    end if;
    if app.readable_unit(p_unit_id) is null then
        raise exception 'no such unit among those you follow up'
            using errcode = 'insufficient_privilege';
    end if;
    if app.statistics_org_id() is null then
        raise exception 'the statistics of this organisation are switched off'
            using errcode = 'PT423';
    end if;
end $$;

create or replace function app.get_hierarchy_stats(p_unit_id uuid, p_year integer) returns jsonb
    -- DEFINER: sums over chapters, after its own check
    language plpgsql volatile security definer set search_path = '' as $$
begin
    perform app.require_readable_unit(p_unit_id, p_year);
    perform app.take_turn('summary');   -- see take_turns
    lock table public.activities in access share mode;
    return stats.hierarchy_summary(p_unit_id, p_year);
end $$;

-- One statement, so that the entry, its marks and the logs are of one snapshot; null where nothing
-- is cached.
create or replace function stats.cached_hierarchy_stats(p_unit_id uuid, p_year integer)
    returns jsonb
    language sql stable security invoker set search_path = ''
    return (
        select jsonb_build_object(
            'unit_id', e.unit_id, 'year', e.period_year, 'payload', e.payload,
            'computed_at', e.computed_at, 'stale', stats.is_outdated(e))
        from public.hierarchy_stats_cache e
        where e.unit_id = p_unit_id and e.period_year = p_year);

-- A fresh or outdated entry at once, saying which; a missing one is computed.
create or replace function app.read_hierarchy_stats(p_unit_id uuid, p_year integer) returns jsonb
    -- DEFINER: the cache is granted to nobody
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_answer jsonb;
begin
    perform app.require_readable_unit(p_unit_id, p_year);
    v_answer := stats.cached_hierarchy_stats(p_unit_id, p_year);
    if v_answer is null then
        -- the second of two readers waits for the first one's computation instead of doing it again
        perform pg_advisory_xact_lock(
            hashtext('fersk.hierarchy'), hashtext(p_unit_id::text || p_year));
        v_answer := stats.cached_hierarchy_stats(p_unit_id, p_year);
    end if;
    if v_answer is null then
        perform app.take_turn('summary');   -- see take_turns
        perform stats.compute_hierarchy_entry(p_unit_id, p_year);
        v_answer := stats.cached_hierarchy_stats(p_unit_id, p_year);
    end if;
    return v_answer;
end $$;

-- The API calls with the caller's rights; what runs with the owner's stands in app, after its
-- check.
create or replace function public.get_hierarchy_stats(p_unit_id uuid, p_year integer)
    returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.get_hierarchy_stats(p_unit_id, p_year);
comment on function public.get_hierarchy_stats(uuid, integer) is
    'The summary of a unit''s subtree in a year, computed now.';
create or replace function public.read_hierarchy_stats(p_unit_id uuid, p_year integer)
    returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.read_hierarchy_stats(p_unit_id, p_year);
comment on function public.read_hierarchy_stats(uuid, integer) is
    'The cached summary of a unit and whether it is stale; computed first if missing.';

revoke execute on function
    app.readable_unit(uuid), app.require_readable_unit(uuid, integer),
    stats.cached_hierarchy_stats(uuid, integer),
    app.get_hierarchy_stats(uuid, integer), app.read_hierarchy_stats(uuid, integer),
    public.get_hierarchy_stats(uuid, integer), public.read_hierarchy_stats(uuid, integer)
    from public, anon, authenticated, service_role;
grant execute on function
    app.get_hierarchy_stats(uuid, integer), app.read_hierarchy_stats(uuid, integer),
    public.get_hierarchy_stats(uuid, integer), public.read_hierarchy_stats(uuid, integer)
    to authenticated;
