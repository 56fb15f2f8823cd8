-- Purpose: why we are not well: each reason with a code, since when, and what to do.
-- Locks: none. Data safety: new objects only.

-- Undelivered since: the first failure after the newest success.
create or replace view private.answers as
    select a.last_delivered_at,
           (select max(d.answered_at) from private.deliveries d
            where d.status_code is null or d.status_code not between 200 and 299)
               as last_undelivered_at,
           f.undelivered_since, f.is_refused,
           (select min(d.sent_at) from private.deliveries d where d.answered_at is null)
               as unanswered_since
    from (select max(d.sent_at) filter (where d.status_code between 200 and 299) as last_sent_at,
                 max(d.answered_at) filter (where d.status_code between 200 and 299)
                     as last_delivered_at
          from private.deliveries d) a
    cross join lateral (
        select min(d.sent_at) as undelivered_since,
               coalesce(bool_and(d.status_code between 400 and 499), false) as is_refused
        from private.deliveries d
        where d.answered_at is not null
          and (d.status_code is null or d.status_code not between 200 and 299)
          and (a.last_sent_at is null or d.sent_at > a.last_sent_at)) f;
comment on view private.answers is
    'One row: when wake-ups last arrived, and since when they do not.';

create or replace function private.schedule_reasons()
    returns table (code text, since timestamptz, remedy text)
    language plpgsql stable security invoker set search_path = '' as $$
begin
    return query
        select 'schedule_off', max(r.start_time),
               'Schedules are missing or switched off: select * from private.platform_problems();'
        from private.schedules() s
        left join cron.job j on j.jobname = s.name
        left join cron.job_run_details r on r.jobid = j.jobid
        where j.active is not true
        having count(*) > 0;
    return query
        select 'schedule_failing', min(f.start_time),
               'Why: select * from cron.job_run_details order by start_time desc limit 10;'
        from cron.job j
        join private.schedules() s on s.name = j.jobname
        cross join lateral (
            select r.start_time, r.status from cron.job_run_details r
            where r.jobid = j.jobid and r.status in ('succeeded', 'failed')
            order by r.runid desc
            limit 1) f
        where f.status = 'failed'
        having count(*) > 0;
end $$;

create or replace function private.health_reasons()
    returns table (code text, since timestamptz, remedy text)
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_is_async boolean := (select s.refresh_mode = 'async' from stats.settings s);
    v_swept_at timestamptz := stats.noted_time('stats.swept_at');
begin
    if not stats.is_recent(v_swept_at, interval '2 minutes') then
        return query values ('sweep_stopped', v_swept_at,
            'Nobody sweeps: select * from private.platform_problems();');
    end if;
    return query select * from private.schedule_reasons();
    return query
        select 'secret_missing', null::timestamptz,
               'No wake-up can be sent: select * from private.platform_problems();'
        where v_is_async and (private.find_secret('fersk_functions_url') is null
                              or private.find_secret('fersk_webhook_secret') is null);
    return query
        select case when a.is_refused then 'wake_ups_refused' else 'wake_ups_failing' end,
               a.undelivered_since,
               case when a.is_refused then 'Compare FERSK_WEBHOOK_SECRET and fersk_functions_url: '
                    else 'Are the functions up? ' end
                   || 'docs/howto/runbook.md#wake-ups-do-not-arrive'
        from private.answers a
        where v_is_async and a.undelivered_since is not null;
    return query
        select 'wake_ups_not_sent', a.unanswered_since,
               'Does pg_net run? docs/howto/runbook.md#wake-ups-do-not-arrive'
        from private.answers a
        where v_is_async
          and not stats.is_recent(a.unanswered_since, interval '30 seconds')
          and a.unanswered_since is not null;
    return query
        select 'fold_overdue', min(u.changed_at),
               'Nobody folds: docs/howto/runbook.md#the-backlog-grows'
        from stats.unit_changes u
        having not stats.is_recent(min(u.changed_at), interval '2 minutes') and count(*) > 0;
    return query
        select 'refresh_overdue', min(p.oldest_at),
               'mv_* are old: docs/howto/runbook.md#the-backlog-grows'
        from stats.pending_changes p
        having not stats.is_recent(min(p.oldest_at), interval '2 hours') and count(*) > 0;
    return query
        select 'difference_found', min(d.found_at),
               'Repaired, but it has a cause: docs/howto/runbook.md#a-number-is-doubted'
        from stats.differences d
        where d.found_at > now() - interval '1 day'
        having count(*) > 0;
end $$;
comment on function private.health_reasons() is
    'Why we are not well: a code, since when, and what to do; no row when all is well.';

revoke all on private.answers from public, anon, authenticated, service_role;
revoke execute on function private.schedule_reasons(), private.health_reasons()
    from public, anon, authenticated, service_role;
