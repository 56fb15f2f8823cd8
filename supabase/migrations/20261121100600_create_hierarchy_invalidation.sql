-- Purpose: draining the log of changed units: mark every ancestor's entry, tell the apps, wake the function.
-- Locks: brief, SHARE ROW EXCLUSIVE on both logs for their triggers. Data safety: deletes only what it has marked.

-- Wake-ups on their way, so that a busy organisation sends one at a time. Append-only: no unique key to wait on.
create table if not exists stats.wake_ups (
    id              bigint      generated always as identity primary key,
    organization_id uuid        not null,
    requested_at    timestamptz not null default clock_timestamp()
);
comment on table stats.wake_ups is 'Invalidation webhooks sent and not yet acknowledged; one that is older than ten seconds counts as lost.';
create index if not exists wake_ups_organization_id_idx on stats.wake_ups (organization_id, requested_at);
alter table stats.wake_ups enable row level security;   -- deny-all: no policy

create or replace function stats.request_invalidation() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: writers hold no rights on stats, private and net
declare
    v_key text;
begin
    -- Shared, so writers never wait for each other; held to the commit, and taken before the look at wake_ups. So a
    -- drain can tell whether a writer that relied on its wake-up has yet to commit (unit_writers_in_flight).
    if not pg_try_advisory_xact_lock_shared(hashtext('fersk'), hashtext('stats.unit_changes')) then
        perform pg_advisory_xact_lock_shared(hashtext('fersk'), hashtext('stats.unit_changes'));   -- for the moment a drain tries it
    end if;
    -- An older snapshot may show a wake-up that is acknowledged already; those few always send their own.
    if exists (select from stats.wake_ups w
               where w.organization_id = new.organization_id and w.requested_at > clock_timestamp() - interval '10 seconds'
                 and current_setting('transaction_isolation') = 'read committed') then
        return null;
    end if;
    v_key := pg_current_xact_id()::text || new.organization_id;
    if current_setting('fersk.invalidation_requested_by', true) = v_key then
        return null;
    end if;
    perform set_config('fersk.invalidation_requested_by', v_key, true);
    insert into stats.wake_ups (organization_id) values (new.organization_id);   -- also where sending fails: one attempt in ten seconds
    begin
        perform stats.wake_invalidation('units_changed', new.organization_id);
    exception when others then
        -- Never the writer's problem: the change is in the log, readers see it there, and the sweep asks again.
        begin
            perform stats.record_error(sqlstate || ': ' || sqlerrm);
        exception when others then
            raise warning 'invalidation not requested: %', sqlerrm;
        end;
    end;
    return null;
end $$;

create or replace function stats.wake_invalidation(p_type text, p_organization_id uuid) returns bigint
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_records jsonb;
begin
    select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'unit_id', r.unit_id, 'date', r.changed_on)), '[]')
    into v_records
    from (select c.id, c.unit_id, c.changed_on from stats.unit_changes c
          where c.organization_id = p_organization_id and c.id is not null order by c.id desc limit 101) r;
    return private.send_webhook('invalidate-hierarchy-cache', jsonb_build_object(
        'type', p_type, 'table', 'unit_changes', 'organization_id', p_organization_id,
        'records', v_records - 100, 'truncated', jsonb_array_length(v_records) > 100));
end $$;

drop trigger if exists activity_changes_request_invalidation on stats.activity_changes;
create constraint trigger activity_changes_request_invalidation after insert on stats.activity_changes
    deferrable initially deferred
    for each row execute function stats.request_invalidation();
drop trigger if exists tree_changes_request_invalidation on stats.tree_changes;
create constraint trigger tree_changes_request_invalidation after insert on stats.tree_changes
    deferrable initially deferred
    for each row execute function stats.request_invalidation();

-- A transaction of its own, before the drain: writers that look from now on send a wake-up of their own.
create or replace function public.acknowledge_wake_ups() returns integer
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: the service role holds no rights on stats
declare
    v_count integer;
begin
    delete from stats.wake_ups w where w.id in (select l.id from stats.wake_ups l for update skip locked);
    get diagnostics v_count = row_count;
    return v_count;
end $$;
comment on function public.acknowledge_wake_ups() is 'First step of an invalidation; take_unit_changes is the second, repeated until nothing is left. Service role only.';

-- Taken and given back at once: it only asks whether a writer holds the shared one.
create or replace function stats.unit_writers_in_flight() returns boolean
    language sql volatile security invoker set search_path = ''
    return not (pg_try_advisory_lock(hashtext('fersk'), hashtext('stats.unit_changes'))
                and pg_advisory_unlock(hashtext('fersk'), hashtext('stats.unit_changes')));

create or replace function public.take_unit_changes() returns jsonb
    language plpgsql volatile security definer set search_path = '' set statement_timeout = '30s' as $$   -- DEFINER: as above
declare
    v_in_flight boolean := stats.unit_writers_in_flight();   -- before the drain's snapshot
    v_result    jsonb;
begin
    -- One at a time, and never waiting: the other may yet fail, so the caller is to come back.
    if not pg_try_advisory_xact_lock(hashtext('fersk'), hashtext('stats.take_unit_changes')) then
        return jsonb_build_object('units', 0, 'invalidated', 0, 'organization_ids', '[]'::jsonb, 'more', true);
    end if;
    with recursive taken as (
        -- What this statement's snapshot shows is from now on contained in the cache, as marks.
        select c.organization_id, c.unit_id, c.changed_on from stats.unit_changes c
        where (select stats.record_snapshot('hierarchy_stats_cache', pg_current_snapshot()))
    ), deleted as (
        delete from stats.tree_changes where true
    ), touched as materialized (
        select distinct t.organization_id, t.unit_id, coalesce(extract(year from t.changed_on)::integer, 0) as period_year from taken t
    ), walk (unit_id, period_year, parent_id, level) as (
        select u.id, t.period_year, u.parent_id, 1 from touched t join public.organization_units u on u.id = t.unit_id
        union
        select p.id, w.period_year, p.parent_id, w.level + 1
        from walk w join public.organization_units p on p.id = w.parent_id
        where w.level < 6   -- a damaged tree ends the walk too
    ), marked as (
        -- A row for every unit, cached or not: a computation that began before must find the mark.
        insert into public.hierarchy_stats_cache as e (unit_id, period_year, invalidated_at, invalidated_xid)
        select w.unit_id, w.period_year, clock_timestamp(), pg_current_xact_id() from walk w
        group by 1, 2 order by 1, 2   -- as store_hierarchy_entries locks
        on conflict (unit_id, period_year) do update
            set invalidated_at = excluded.invalidated_at, invalidated_xid = excluded.invalidated_xid
        returning e.unit_id, e.period_year
    ), told as (
        select u.organization_id, array_agg(distinct m.unit_id) as unit_ids,
               (select array_agg(distinct t.changed_on order by t.changed_on) from taken t
                where t.organization_id = u.organization_id and t.changed_on is not null) as dates
        from marked m join public.organization_units u on u.id = m.unit_id
        group by 1
    )
    select jsonb_build_object(
               'units', (select count(distinct t.unit_id) from touched t),
               'invalidated', (select count(*) from marked),
               'organizations', coalesce((select jsonb_agg(jsonb_build_object(
                    'organization_id', t.organization_id, 'unit_ids', t.unit_ids, 'dates', coalesce(t.dates, '{}'))) from told t), '[]'))
    into v_result;

    perform private.broadcast_invalidation(
                (o ->> 'organization_id')::uuid,
                array(select jsonb_array_elements_text(o -> 'unit_ids'))::uuid[],
                array(select jsonb_array_elements_text(o -> 'dates'))::date[])
    from jsonb_array_elements(v_result -> 'organizations') o;

    return jsonb_build_object(
        'units', v_result -> 'units', 'invalidated', v_result -> 'invalidated',
        'organization_ids', (select coalesce(jsonb_agg(o -> 'organization_id'), '[]') from jsonb_array_elements(v_result -> 'organizations') o),
        'more', v_in_flight);
end $$;
comment on function public.take_unit_changes() is
    'Drains the log: marks all ancestors, broadcasts; {units, invalidated, organization_ids, more}. Call again while more. Service role only.';

create or replace function public.request_invalidation_again() returns bigint
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: as above
declare
    -- the log may be empty, with a writer still in flight: any organisation does
    v_organization_id uuid := coalesce((select c.organization_id from stats.unit_changes c order by c.changed_at limit 1),
                                       (select o.id from public.organizations o order by o.id limit 1));
begin
    return stats.wake_invalidation('continued', v_organization_id);
end $$;
comment on function public.request_invalidation_again() is 'Sends another wake-up, for a drain that ran out of time before it was done. Service role only.';

-- The sweep's second half.
create or replace function stats.sweep_unit_changes() returns boolean
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_organization_id uuid;
    v_changed_at      timestamptz;
begin
    -- entries and marks from another cluster: a dump restored into a younger one
    delete from public.hierarchy_stats_cache e
    where pg_snapshot_xmax(e.source_position) > pg_snapshot_xmax(pg_current_snapshot())
       or e.invalidated_xid >= pg_snapshot_xmax(pg_current_snapshot());
    select c.organization_id, c.changed_at into v_organization_id, v_changed_at
    from stats.unit_changes c
    where (c.changed_at < clock_timestamp() - interval '2 seconds') is not false   -- null: nobody knows since when
    order by c.changed_at limit 1;
    if not found then
        return false;
    end if;
    begin
        -- Without functions, or with none that answers, the log must not grow for ever: what it costs is read with every statistic.
        if v_changed_at < clock_timestamp() - interval '10 minutes' or (select s.refresh_mode from stats.settings s) = 'inline' then
            perform public.take_unit_changes();
        else
            perform stats.wake_invalidation('sweep', v_organization_id);
        end if;
    exception when others then
        perform stats.record_error(sqlstate || ': ' || sqlerrm);
    end;
    return true;
end $$;
comment on function stats.sweep_unit_changes() is 'Wakes the invalidation if changes were left in the log, or drains them itself; true if it did. Scheduled.';

revoke all on stats.wake_ups from public, anon, authenticated, service_role;
revoke execute on function stats.request_invalidation(), stats.wake_invalidation(text, uuid), public.acknowledge_wake_ups(),
    stats.unit_writers_in_flight(), public.take_unit_changes(), public.request_invalidation_again(), stats.sweep_unit_changes()
    from public, anon, authenticated, service_role;
grant execute on function public.acknowledge_wake_ups(), public.take_unit_changes(), public.request_invalidation_again() to service_role;

-- health tells of this log, too
create or replace function public.get_health() returns jsonb
    language sql stable security definer set search_path = ''   -- DEFINER: the service role holds no rights on stats
    return (select jsonb_build_object(
                'last_refreshed_at', l.last_finished_at,
                'last_sweep_at', l.last_sweep_at,
                'last_error', l.last_error,
                'pending_changes', c.number,
                'oldest_pending_seconds', c.seconds,
                'pending_unit_changes', u.number,
                'oldest_unit_change_seconds', u.seconds)
            from stats.stats_refresh_log l,
                 (select count(*) as number, coalesce(greatest(extract(epoch from now() - min(changed_at)), 0), 0)::bigint as seconds
                  from stats.pending_changes) c,
                 (select count(*) as number, coalesce(greatest(extract(epoch from now() - min(changed_at)), 0), 0)::bigint as seconds
                  from stats.unit_changes) u);
