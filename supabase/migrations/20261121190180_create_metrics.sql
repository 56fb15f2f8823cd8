-- Purpose: the figures that monitoring asks for, in one call.
-- Locks: none. Data safety: new objects only.

create or replace view private.schedule_runs as
    select s.name,
           coalesce(j.active, false) and coalesce(n.status <> 'failed', true) as is_alive,
           r.succeeded_at
    from private.schedules() s
    left join cron.job j on j.jobname = s.name
    left join (select d.jobid, max(d.start_time) as succeeded_at
               from cron.job_run_details d
               where d.status = 'succeeded'
               group by 1) r on r.jobid = j.jobid
    left join (select distinct on (d.jobid) d.jobid, d.status
               from cron.job_run_details d
               where d.status in ('succeeded', 'failed')
               order by d.jobid, d.runid desc) n on n.jobid = j.jobid;
comment on view private.schedule_runs is
    'Each schedule: whether it is on and its newest run did not fail, and when one last succeeded.';

-- The ledger is pruned, so what became of wake-ups is told of the last ten minutes only.
create or replace view private.recent_wake_ups as
    select o.outcome, count(d.id) as number
    from unnest(array['delivered', 'refused', 'failed', 'pending']) o (outcome)
    left join (
        select l.id,
               case when l.answered_at is null then 'pending'
                    when l.status_code between 200 and 299 then 'delivered'
                    when l.status_code between 400 and 499 then 'refused'
                    else 'failed' end as outcome
        from private.deliveries l
        where l.sent_at > clock_timestamp() - interval '10 minutes') d on d.outcome = o.outcome
    group by 1;
comment on view private.recent_wake_ups is
    'What became of the wake-ups of the last ten minutes, in numbers.';

create or replace function public.get_metrics() returns jsonb
    -- DEFINER: the service role holds no rights on stats, private and cron
    language sql stable security definer set search_path = ''
    return (
        select public.get_health() - 'last_error' || jsonb_build_object(
            'organizations', (select count(*) from public.organizations),
            'last_refresh_ms', l.last_duration_ms,
            'last_folded_at', stats.noted_time('stats.folded_at'),
            'last_fold_seconds', pg_sequence_last_value('stats.fold_took'::regclass) / 1000000.0,
            'last_audited_at', (select r.succeeded_at from private.schedule_runs r
                                where r.name = 'fersk-nightly-audit'),
            'wake_ups_sent', (select coalesce(max(d.id), 0) from private.deliveries d),
            'recent_wake_ups', (select jsonb_object_agg(w.outcome, w.number)
                                from private.recent_wake_ups w),
            'schedules', (select jsonb_agg(to_jsonb(r) order by r.name)
                          from private.schedule_runs r),
            'connections', (select count(*) from pg_catalog.pg_stat_activity a
                            where a.datname = current_database()),
            'max_connections', current_setting('max_connections')::integer)
        from stats.stats_refresh_log l);
comment on function public.get_metrics() is
    'Health, and the figures that monitoring draws: counts, ages, durations. Service role only.';

revoke all on private.schedule_runs, private.recent_wake_ups
    from public, anon, authenticated, service_role;
revoke execute on function public.get_metrics() from public, anon, authenticated, service_role;
grant execute on function public.get_metrics() to service_role;
