-- Purpose: refreshing mv_*: whether it is time, and doing it.
-- Locks: REFRESH ... CONCURRENTLY holds none that readers of mv_* or writers ask for. Data safety:
-- new objects only.

-- The least time between two refreshes: the debounce, but never so little that refreshing takes
-- over a hundredth of the time.
create or replace view stats.refresh_pace as
    select stats.noted_time('stats.refresh_asked_at') as last_requested_at,
           l.last_started_at,
           greatest(s.debounce,
                    100 * coalesce(l.last_duration_ms, 0) * interval '1 millisecond')
               as refresh_interval
    from stats.stats_refresh_log l, stats.settings s;

-- What a refresh would bring, by organisation: what was folded since the last one, and the log.
create or replace view stats.pending_changes as
    select p.organization_id,
           sum(p.change_count)::bigint as change_count,
           min(p.oldest_at)            as oldest_at
    from (
        select u.organization_id, u.change_count, u.oldest_at from stats.unrefreshed_changes u
        union all
        select c.organization_id, 1, c.changed_at from stats.activity_changes c
    ) p
    group by 1;

-- CONCURRENTLY joins the new rows with the old ones, in memory if that is enough, and analyses the
-- new ones, for which a small sample does. A view without rows yet (after a restore of the schema
-- alone) can only be filled plainly.
create or replace function stats.refresh_views() returns void
    language plpgsql volatile security invoker set search_path = ''
    set default_statistics_target = 10 set work_mem = '64MB' as $$
declare
    v_view record;
begin
    for v_view in
        select m.matviewname, m.ispopulated
        from pg_catalog.pg_matviews m
        where m.schemaname = 'stats'
        order by 1
    loop
        execute format('refresh materialized view %s stats.%I',
                       case when v_view.ispopulated then 'concurrently' end, v_view.matviewname);
    end loop;
end $$;

create or replace function stats.refresh(p_force boolean) returns jsonb
    -- DEFINER: REFRESH needs the owner (PG 15 has no MAINTAIN)
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_started timestamptz := clock_timestamp();
    v_applied bigint      := 0;
    v_outcome text;
    v_log     stats.stats_refresh_log;
begin
    -- Never waiting: whoever comes second has nothing to add. Above READ COMMITTED the row may be
    -- newer than the snapshot.
    begin
        perform from stats.stats_refresh_log l where l.only_row for update skip locked;
        v_outcome := case when not found then 'already_running' end;
    exception when serialization_failure then
        v_outcome := 'already_running';
    end;
    if v_outcome is null then
        v_outcome := case
            when p_force then 'refreshed'
            when not exists (select from stats.pending_changes) then 'nothing_pending'
            when (select stats.is_recent(p.last_started_at, p.refresh_interval)
                  from stats.refresh_pace p) then 'debounced'
            else 'refreshed' end;
    end if;
    -- For the moment of another fold; a writer, who refreshes inline, waits for nobody.
    if v_outcome = 'refreshed'
        and (p_force or (select s.refresh_mode = 'async' from stats.settings s)) then
        perform pg_advisory_xact_lock(hashtext('fersk'), hashtext('stats.fold'));
    end if;
    -- Held to the commit: what mv_* show is what has been folded by then, all three the same.
    if v_outcome <> 'already_running' and stats.fold() ->> 'outcome' = 'already_running'
        and v_outcome = 'refreshed' then
        v_outcome := 'already_running';
    end if;
    if v_outcome = 'refreshed' then
        begin
            select coalesce(sum(p.change_count), 0) into v_applied
            from stats.unrefreshed_changes p;
            perform stats.refresh_views();
            delete from stats.unrefreshed_changes where true;
            update stats.stats_refresh_log
            set last_requested_at = stats.noted_time('stats.refresh_asked_at'),
                last_started_at = v_started,
                last_finished_at = clock_timestamp(),
                last_applied = v_applied,
                last_duration_ms = extract(epoch from clock_timestamp() - v_started) * 1000
            where only_row;
        exception
            when query_canceled or serialization_failure or deadlock_detected then
                raise;   -- nothing is lost: the changes stay pending, and the sweep tries again
            when others then
                v_outcome := 'failed';
                v_applied := 0;
                perform stats.record_error('refresh: ' || sqlstate || ': ' || sqlerrm);
                update stats.stats_refresh_log set last_started_at = v_started where only_row;
        end;
    end if;
    select * into v_log from stats.stats_refresh_log;
    return jsonb_build_object(
        'outcome', v_outcome,
        'refreshed_at', v_log.last_finished_at,
        'applied_changes', v_applied,
        'duration_ms', case when v_outcome = 'refreshed' then v_log.last_duration_ms else 0 end);
end $$;
comment on function stats.refresh(boolean) is
    'Folds, then refreshes mv_* if it is time; outcome refreshed, debounced, already_running, '
    'nothing_pending or failed.';

revoke all on stats.refresh_pace, stats.pending_changes
    from public, anon, authenticated, service_role;
revoke execute on function stats.refresh_views(), stats.refresh(boolean)
    from public, anon, authenticated, service_role;
