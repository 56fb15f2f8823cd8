-- Purpose: compaction: asking for a refresh, doing it, and the record of both.
-- Locks: brief, SHARE ROW EXCLUSIVE on stats.activity_changes for its trigger. Data safety: deletes only changes that
-- every snapshot contains.

create table if not exists stats.settings (
    only_row     boolean  primary key default true check (only_row),
    refresh_mode text     not null default 'async' check (refresh_mode in ('async', 'inline')),
    debounce     interval not null default '10 seconds' check (debounce >= interval '0')
);
comment on table stats.settings is 'One row. async: a webhook wakes the function; inline: the writer''s commit refreshes, for installations without functions.';
insert into stats.settings default values on conflict do nothing;
alter table stats.settings enable row level security;   -- deny-all: no policy

create table if not exists stats.stats_refresh_log (
    only_row          boolean     primary key default true check (only_row),
    last_requested_at timestamptz,
    last_started_at   timestamptz,
    last_finished_at  timestamptz,
    last_duration_ms  bigint,
    last_applied      bigint,
    last_error        text,
    last_error_at     timestamptz,
    last_sweep_at     timestamptz
);
comment on table stats.stats_refresh_log is 'One row: when a refresh was last asked for, started, finished (with success), and what went wrong.';
insert into stats.stats_refresh_log default values on conflict do nothing;
alter table stats.stats_refresh_log enable row level security;   -- deny-all: no policy

-- The least time between two refreshes: the debounce, but never so little that refreshing takes over a tenth of the time.
create or replace view stats.refresh_pace as
    select l.last_requested_at, l.last_started_at,
           greatest(s.debounce, 10 * coalesce(l.last_duration_ms, 0) * interval '1 millisecond') as refresh_interval
    from stats.stats_refresh_log l, stats.settings s;

-- What a refresh would bring: the changes that one of the materialised views lacks.
create or replace view stats.pending_changes as
    select c.id, c.organization_id, c.changed_at
    from stats.activity_changes c
    where exists (select from stats.changes_since_snapshot s where s.id = c.id and s.relation_name like 'mv\_%');

create or replace function stats.record_error(p_error text) returns void
    language sql volatile security invoker set search_path = ''
begin atomic
    update stats.stats_refresh_log set last_error = p_error, last_error_at = clock_timestamp()
    where only_row;
end;

-- CONCURRENTLY analyses the new rows, for which a small sample does (a fifth less work at 100,000 activities), and joins
-- them with the old ones, in memory if that is enough (half the time of mv_yearly_stats at a million). Only one runs at a time.
create or replace function stats.refresh(p_force boolean) returns jsonb
    language plpgsql volatile security definer set search_path = '' set default_statistics_target = 10 set work_mem = '64MB' as $$   -- DEFINER: REFRESH needs the owner (PG 15 has no MAINTAIN)
declare
    v_started timestamptz := clock_timestamp();
    v_applied bigint      := 0;
    v_outcome text        := 'refreshed';
    v_view    record;
    v_log     stats.stats_refresh_log;
begin
    -- Transaction-level and never waiting: whoever comes second has nothing to add.
    if not pg_try_advisory_xact_lock(hashtext('fersk'), hashtext('stats.refresh')) then
        v_outcome := 'already_running';
    elsif not p_force and not exists (select from stats.pending_changes) then
        v_outcome := 'nothing_pending';
    elsif not p_force and (select p.last_started_at > v_started - p.refresh_interval from stats.refresh_pace p) then
        v_outcome := 'debounced';
    else
        begin
            select count(*) into v_applied from stats.pending_changes;
            for v_view in select m.matviewname, m.ispopulated from pg_catalog.pg_matviews m
                          where m.schemaname = 'stats' order by 1 loop
                -- one that was restored without its rows cannot be refreshed beside its readers: it has none
                execute format('refresh materialized view %s stats.%I',
                               case when v_view.ispopulated then 'concurrently' else '' end, v_view.matviewname);
            end loop;
            -- of a relation that is gone: nothing would ever be contained in it
            delete from stats.snapshot_positions p
            where to_regclass('stats.' || quote_ident(p.relation_name)) is null
              and to_regclass('public.' || quote_ident(p.relation_name)) is null;
            delete from stats.activity_changes c
            where not exists (select from stats.changes_since_snapshot s where s.id = c.id);
            update stats.stats_refresh_log
            set last_started_at = v_started, last_finished_at = clock_timestamp(), last_applied = v_applied,
                last_duration_ms = extract(epoch from clock_timestamp() - v_started) * 1000, last_error = null
            where only_row;
        exception
            when query_canceled or serialization_failure or deadlock_detected then
                raise;   -- nothing is lost: the changes stay in the log, and the caller or the sweep tries again
            when others then
                v_outcome := 'failed';
                perform stats.record_error(sqlstate || ': ' || sqlerrm);
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
    'Refreshes the snapshots one at a time and prunes the log; outcome refreshed, debounced, already_running, nothing_pending or failed.';

create or replace function public.refresh_stats_views() returns jsonb
    language plpgsql volatile security definer set search_path = '' set statement_timeout = '55s' as $$   -- DEFINER: the service role's only door to stats.refresh
begin
    return stats.refresh(p_force := false);
end $$;
comment on function public.refresh_stats_views() is 'Compacts the change log into the snapshots, if there is something to do and it is time. Service role only.';

-- One repair for everything: a restore that went wrong, a changed rule, doubt. Writers wait while it runs.
create or replace function stats.rebuild() returns void
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_view text;
begin
    perform pg_advisory_xact_lock(hashtext('fersk'), hashtext('stats.refresh'));   -- not beside a refresh
    lock table public.activities in share row exclusive mode;
    delete from stats.activity_changes where true;
    delete from stats.snapshot_positions where true;   -- without one, all that the hierarchy has cached counts as outdated
    for v_view in select m.matviewname from pg_catalog.pg_matviews m where m.schemaname = 'stats' order by 1 loop
        execute format('refresh materialized view stats.%I', v_view);
    end loop;
end $$;
comment on function stats.rebuild() is 'Empties the change log and computes every snapshot anew; for the owner, see docs/runbook.md.';

-- A constraint trigger runs once a row, at the commit. It sits on the log, which has a few rows a statement, and nearly
-- always the window is not over, which must cost next to nothing: a session remembers until when (in seconds since 1970),
-- and a transaction that it has asked. Both are hints; a refresh that they prevent, the sweep asks for.
create or replace function stats.request_refresh() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: writers hold no rights on stats, private and net
declare
    v_not_before timestamptz;
begin
    if current_setting('fersk.refresh_not_before', true) > date_part('epoch', clock_timestamp())::text collate "C" then
        return null;
    end if;
    if current_setting('fersk.refresh_requested_by', true) = pg_current_xact_id()::text then
        return null;
    end if;
    select greatest(p.last_requested_at, p.last_started_at) + p.refresh_interval into v_not_before from stats.refresh_pace p;
    if v_not_before > clock_timestamp() then
        perform set_config('fersk.refresh_not_before', date_part('epoch', v_not_before)::text, false);
        return null;
    end if;
    perform set_config('fersk.refresh_requested_by', pg_current_xact_id()::text, true);
    begin
        -- Locked: another transaction is just asking. Skipped, not awaited: a writer waits for nobody.
        perform from stats.stats_refresh_log l
        where (greatest(l.last_requested_at, l.last_started_at)
               > clock_timestamp() - (select p.refresh_interval from stats.refresh_pace p)) is not true
        for update skip locked;
        if not found then
            return null;
        end if;
        if (select s.refresh_mode from stats.settings s) = 'inline' then
            -- SET CONSTRAINTS IMMEDIATE, in the middle of a statement: its other changes are not logged yet.
            if pg_trigger_depth() > 1 then
                return null;
            end if;
            perform stats.refresh(p_force := false);
        else
            perform stats.wake_refresh('activities_changed', new.organization_id);
        end if;
        update stats.stats_refresh_log set last_requested_at = clock_timestamp() where only_row;
    exception when others then
        -- Never the writer's problem: the changes are in the log, and the sweep asks again.
        begin
            perform stats.record_error(sqlstate || ': ' || sqlerrm);
            update stats.stats_refresh_log set last_requested_at = clock_timestamp() where only_row;
        exception when others then
            raise warning 'refresh not requested: %', sqlerrm;
        end;
    end;
    return null;
end $$;

-- Ids and dates only, of one organisation.
create or replace function stats.wake_refresh(p_type text, p_organization_id uuid) returns bigint
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_records jsonb;
begin
    select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'unit_id', r.chapter_id, 'date', r.bucket_date)), '[]')
    into v_records
    from (select c.id, c.chapter_id, c.bucket_date from stats.activity_changes c
          where c.organization_id = p_organization_id order by c.id desc limit 101) r;
    return private.send_webhook('refresh-stats-views', jsonb_build_object(
        'type', p_type, 'table', 'activity_changes', 'organization_id', p_organization_id,
        'records', v_records - 100, 'truncated', jsonb_array_length(v_records) > 100));
end $$;

drop trigger if exists activity_changes_request_refresh on stats.activity_changes;
create constraint trigger activity_changes_request_refresh after insert on stats.activity_changes
    deferrable initially deferred
    for each row execute function stats.request_refresh();

-- The guarantee: whatever became of the webhooks, changes older than the debounce are asked about again.
create or replace function stats.sweep() returns boolean
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_organization_id uuid;
begin
    update stats.stats_refresh_log set last_sweep_at = clock_timestamp() where only_row;
    -- A dump of the schema, and one of the data, restore the snapshots without their rows.
    if exists (select from pg_catalog.pg_matviews m where m.schemaname = 'stats' and not m.ispopulated) then
        perform stats.refresh(p_force := true);
        return true;
    end if;
    select c.organization_id into v_organization_id
    from stats.pending_changes c
    where c.changed_at < clock_timestamp() - (select s.debounce from stats.settings s)
    order by c.id limit 1;
    if not found then
        return false;
    end if;
    begin
        update stats.stats_refresh_log set last_requested_at = clock_timestamp() where only_row;
        if (select s.refresh_mode from stats.settings s) = 'inline' then
            perform stats.refresh(p_force := false);
        else
            perform stats.wake_refresh('sweep', v_organization_id);
        end if;
    exception when others then
        perform stats.record_error(sqlstate || ': ' || sqlerrm);
    end;
    return true;
end $$;
comment on function stats.sweep() is 'Wakes the refresh if changes are older than the debounce; true if it did. Scheduled.';

create or replace view stats.visible_freshness with (security_barrier) as
    select l.last_finished_at as last_refreshed_at,
           count(c.id) as pending_changes,
           coalesce(extract(epoch from now() - min(c.changed_at)), 0)::bigint as oldest_pending_seconds,
           l.last_duration_ms as last_refresh_ms
    from stats.stats_refresh_log l
    left join stats.pending_changes c on c.organization_id = (select app.statistics_org_id())
    where (select app.statistics_org_id()) is not null
    group by l.last_finished_at, l.last_duration_ms;
create or replace view public.stats_freshness with (security_invoker = on) as
    select last_refreshed_at, pending_changes, oldest_pending_seconds, last_refresh_ms from stats.visible_freshness;
comment on view public.stats_freshness is 'When the snapshots (mv_*) were refreshed, and how many changes of the caller''s organisation they lack.';

create or replace function public.get_health() returns jsonb
    language sql stable security definer set search_path = ''   -- DEFINER: the service role holds no rights on stats
    return (select jsonb_build_object(
                'last_refreshed_at', l.last_finished_at,
                'last_sweep_at', l.last_sweep_at,
                'last_error', l.last_error,
                'pending_changes', c.number,
                'oldest_pending_seconds', c.seconds)
            from stats.stats_refresh_log l,
                 (select count(*) as number, coalesce(greatest(extract(epoch from now() - min(changed_at)), 0), 0)::bigint as seconds
                  from stats.pending_changes) c);
comment on function public.get_health() is 'The backlog and its age. Service role only.';

revoke all on stats.settings, stats.stats_refresh_log, stats.refresh_pace, stats.pending_changes, stats.visible_freshness, public.stats_freshness
    from public, anon, authenticated, service_role;
grant select on stats.visible_freshness, public.stats_freshness to authenticated;
revoke execute on function stats.record_error(text), stats.refresh(boolean), stats.rebuild(),
    stats.request_refresh(), stats.wake_refresh(text, uuid), stats.sweep(), public.refresh_stats_views(), public.get_health()
    from public, anon, authenticated, service_role;
grant execute on function public.refresh_stats_views(), public.get_health() to service_role;
