-- Purpose: what the function that is woken calls: acknowledge, fold until nothing is left.
-- Locks: none. Data safety: as the fold.

-- Taken and given back at once: it only asks whether a writer holds the shared one.
create or replace function stats.writers_in_flight() returns boolean
    language sql volatile security invoker set search_path = ''
    return not (
        pg_try_advisory_lock(hashtext('fersk'), hashtext('stats.writers'))
        and pg_advisory_unlock(hashtext('fersk'), hashtext('stats.writers')));

create or replace function public.acknowledge_wake_ups() returns integer
    -- DEFINER: the service role holds no rights on stats
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_wake_ups integer := (pg_sequence_last_value('stats.fold_asked_at') is not null)::integer;
begin
    perform setval('stats.fold_asked_at', 0, false);
    return v_wake_ups;
end $$;
comment on function public.acknowledge_wake_ups() is
    'First step of an invalidation: the next writer sends a wake-up; 1 if one was on its way. '
    'Service role only.';

create or replace function public.take_unit_changes() returns jsonb
    -- DEFINER: as above
    language plpgsql volatile security definer set search_path = ''
    set statement_timeout = '30s' as $$
declare
    v_is_more boolean := stats.writers_in_flight();   -- before the fold's snapshot
    v_fold    jsonb   := stats.fold();
begin
    return jsonb_build_object(
        'units', v_fold -> 'units',
        'invalidated', v_fold -> 'invalidated',
        'organization_ids', (
            select coalesce(jsonb_agg(o -> 'organization_id'), '[]')
            from jsonb_array_elements(v_fold -> 'organizations') o),
        -- another fold may yet fail, so the caller is to come back
        'more', v_is_more or v_fold ->> 'outcome' = 'already_running');
end $$;
comment on function public.take_unit_changes() is
    'Folds: {units, invalidated, organization_ids, more}. Call again while more. Service role '
    'only.';

create or replace function public.request_invalidation_again() returns bigint
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: as above
begin
    -- any organisation does: a fold serves all
    return stats.wake('invalidate-hierarchy-cache', 'continued',
                      (select o.id from public.organizations o order by o.id limit 1), '[]', true);
end $$;
comment on function public.request_invalidation_again() is
    'Sends another wake-up, for a drain that ran out of time before it was done. Service role '
    'only.';

revoke execute on function stats.writers_in_flight(), public.acknowledge_wake_ups(),
    public.take_unit_changes(), public.request_invalidation_again()
    from public, anon, authenticated, service_role;
grant execute on function public.acknowledge_wake_ups(), public.take_unit_changes(),
    public.request_invalidation_again() to service_role;
