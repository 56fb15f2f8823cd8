-- Purpose: why we are not well: each reason with a code, since when, and what to do.
-- Locks: none. Data safety: new objects only.

-- Undelivered since: the first failure after the newest success.
create or replace view private.answers as
    with known as (
        select d.sent_at,
               coalesce(d.answered_at, n.answered_at) as answered_at,
               coalesce(d.status_code, n.status_code) as status_code
        from private.deliveries d
        left join private.new_answers() n on n.id = d.id
    ), judged as (
        select k.sent_at, k.answered_at, k.status_code,
               k.answered_at is not null
                   and coalesce(k.status_code between 200 and 299, false) as is_delivered,
               k.answered_at is not null
                   and not coalesce(k.status_code between 200 and 299, false) as is_undelivered
        from known k
    ), delivered as (
        select max(j.sent_at) as last_sent_at, max(j.answered_at) as last_at
        from judged j
        where j.is_delivered
    )
    select max(g.last_at) as last_delivered_at,
           max(j.answered_at) filter (where j.is_undelivered) as last_undelivered_at,
           min(j.sent_at) filter (where j.is_undelivered and j.is_new) as undelivered_since,
           coalesce(bool_and(coalesce(j.status_code between 400 and 499, false))
                        filter (where j.is_undelivered and j.is_new), false) as is_refused,
           min(j.sent_at) filter (where j.answered_at is null) as unanswered_since
    from delivered g
    left join lateral (
        select o.*, g.last_sent_at is null or o.sent_at > g.last_sent_at as is_new
        from judged o) j on true;
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
