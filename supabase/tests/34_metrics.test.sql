-- ME: what monitoring draws: the last fold, what became of wake-ups, and which schedules live.
begin;
\ir helpers.psql
select plan(9);

create function tests.metric(variadic p_path text[]) returns text language sql as $$
    select public.get_metrics() #>> p_path
$$;
create function tests.is_alive(p_schedule text) returns boolean language sql as $$
    select r.is_alive from private.schedule_runs r where r.name = p_schedule
$$;

select stats.fold();
select setval('stats.folded_at', 1), setval('stats.fold_took', 0);
select stats.fold();
select is(tests.metric('last_folded_at')::timestamptz < '1971-01-01', true,
    'ME-01 a fold with nothing to do is none');
select tests.add_activity('sor/sol', 'sor/S');
select stats.fold();
select is(tests.metric('last_folded_at')::timestamptz > now(), true,
    'ME-01 one that folds is noted');
select is(tests.metric('last_fold_seconds')::numeric between 0.000001 and 60, true,
    'ME-01 and how long it took');

delete from private.deliveries where true;
insert into private.deliveries (webhook_id, slug, payload, sent_at, answered_at, status_code)
select 'msg_' || gen_random_uuid(), 'some-function', '{}', clock_timestamp() - d.ago,
       case when d.status <> 0 then clock_timestamp() end, nullif(nullif(d.status, 0), 1)
from (values (interval '1 hour', 200), (interval '1 minute', 200), (interval '1 minute', 401),
             (interval '1 minute', 404), (interval '1 minute', 503), (interval '1 minute', 1),
             (interval '1 minute', 0)) d (ago, status);
select is(public.get_metrics() -> 'recent_wake_ups',
    '{"delivered": 1, "refused": 2, "failed": 2, "pending": 1}',
    'ME-02 wake-ups of ten minutes by what became of them; no answer is a failure');
select is(tests.metric('wake_ups_sent')::bigint, (select max(id) from private.deliveries),
    'ME-02 and how many were ever sent');

select private.install_platform_parts();
select set_eq('select name from private.schedule_runs', 'select name from private.schedules()',
    'ME-03 every schedule is there');
select is(tests.is_alive('fersk-heartbeat'), true, 'ME-04 one that is on is alive');
select cron.alter_job(j.jobid, active := false) from cron.job j
where j.jobname = 'fersk-heartbeat';
select is(tests.is_alive('fersk-heartbeat'), false, 'ME-04 one that is off is not');

select is(public.get_metrics() ? 'last_error', false,
    'ME-05 an error may quote data: it is not told');

select * from finish();
rollback;
