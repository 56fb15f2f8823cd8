-- HE: what health says is not well, since when, and what to do.
begin;
\ir helpers.psql
select plan(25);
select private.set_secret('fersk_functions_url', 'https://functions.tests.example/functions/v1');
select private.set_secret('fersk_webhook_secret',
    'whsec_bGlrZXBlcnNvbmVyIGVyIGJlc3QgaSBoZWxlIHZlcmRlbg==');
select private.install_platform_parts();
delete from private.deliveries where true;
delete from stats.differences where true;
delete from stats.unrefreshed_changes where true;
select stats.fold();
delete from stats.unrefreshed_changes where true;
select stats.note_time('stats.swept_at');

-- What the schedules of the running stack did is of no interest here.
create function tests.reasons() returns setof text language sql as $$
    select code from private.health_reasons() where code <> 'schedule_failing' order by code
$$;
create function tests.since(p_code text) returns interval language sql as $$
    select date_trunc('minute', clock_timestamp() - since) from private.health_reasons()
    where code = p_code
$$;
create function tests.delivered(p_ago interval, p_status integer) returns void language sql as $$
    insert into private.deliveries (webhook_id, slug, payload, sent_at, answered_at, status_code)
    values ('msg_' || gen_random_uuid(), 'some-function', '{}', clock_timestamp() - p_ago,
            clock_timestamp() - p_ago, p_status)
$$;

select is_empty('select tests.reasons()', 'HE-01 all is well');
select is(public.get_health() -> 'reasons' @> '[{"code": "sweep_stopped"}]', false,
    'HE-01 and said so');

select tests.asked('stats.swept_at', '5 minutes');
select results_eq('select tests.reasons()', array['sweep_stopped'], 'HE-02 nobody sweeps');
select is(tests.since('sweep_stopped'), interval '5 minutes', 'HE-02 since then');
select is(public.get_health() -> 'reasons' @> '[{"code": "sweep_stopped"}]', true,
    'HE-02 health tells');
select tests.asked('stats.swept_at', '-1 hour');
select results_eq('select tests.reasons()', array['sweep_stopped'],
    'HE-03 a sweep in the future is none: the clock was set back');
select stats.note_time('stats.swept_at');

select cron.alter_job((select jobid from cron.job where jobname = 'fersk-sweep'), active := false);
select results_eq('select tests.reasons()', array['schedule_off'], 'HE-04 a schedule is off');
select cron.alter_job((select jobid from cron.job where jobname = 'fersk-sweep'), active := true);
select cron.unschedule('fersk-heartbeat');
select results_eq('select tests.reasons()', array['schedule_off'], 'HE-04 or missing');
select private.install_platform_parts();

select tests.forget_secret('fersk_webhook_secret');
select results_eq('select tests.reasons()', array['secret_missing'], 'HE-05 a secret is missing');
update stats.settings set refresh_mode = 'inline' where only_row;
select is_empty('select tests.reasons()', 'HE-05 which matters only where wake-ups are sent');
update stats.settings set refresh_mode = 'async' where only_row;
select private.set_secret('fersk_webhook_secret',
    'whsec_bGlrZXBlcnNvbmVyIGVyIGJlc3QgaSBoZWxlIHZlcmRlbg==');

-- ---------------------------------------------------------------- wake-ups

select tests.delivered('20 minutes', 401);
select tests.delivered('10 minutes', 200);
select is_empty('select tests.reasons()', 'HE-06 a failure before a success is history');
select tests.delivered('5 minutes', 404);
select tests.delivered('2 minutes', 401);
select results_eq('select tests.reasons()', array['wake_ups_refused'], 'HE-07 refused');
select is(tests.since('wake_ups_refused'), interval '5 minutes', 'HE-07 since the first of them');
select tests.delivered('90 seconds', null);
select results_eq('select tests.reasons()', array['wake_ups_failing'],
    'HE-08 no answer is no refusal');
select tests.delivered('1 minute', 503);
select results_eq('select tests.reasons()', array['wake_ups_failing'], 'HE-08 or failing');
select tests.delivered('0 minutes', 200);
select is_empty('select tests.reasons()', 'HE-09 the next success ends it');
select is((public.get_health() ->> 'last_undelivered_at')::timestamptz < now(), true,
    'HE-09 but it is not forgotten');
select private.send_webhook('some-function', '{}');
update private.deliveries set sent_at = clock_timestamp() - interval '3 minutes'
where answered_at is null;
select results_eq('select tests.reasons()', array['wake_ups_not_sent'], 'HE-10 nobody sends');
select is(tests.since('wake_ups_not_sent'), interval '3 minutes', 'HE-10 since then');
delete from net.http_request_queue where true;
select is_empty('select tests.reasons()', 'HE-10 one that was lost before a success is history');

-- ---------------------------------------------------------------- heartbeats

delete from private.deliveries where true;
select tests.add_activity('sor/sol', 'sor/S');
select private.send_heartbeat();
select is(
    (select count(*) from private.deliveries where payload ->> 'type' = 'heartbeat'), 1::bigint,
    'HE-11 where no wake-up was sent of late, one is');
select private.send_heartbeat();
select is((select count(*) from private.deliveries), 1::bigint, 'HE-11 and no second one');

-- ---------------------------------------------------------------- upkeep

insert into stats.tree_changes (organization_id, unit_id, changed_at)
values (tests.id('sor'), tests.id('sor/S'), now() - interval '5 minutes');
select results_eq('select tests.reasons()', array['fold_overdue'], 'HE-12 nobody folds');
select stats.fold();
update stats.unrefreshed_changes set oldest_at = now() - interval '3 hours' where true;
select results_eq('select tests.reasons()', array['refresh_overdue'], 'HE-13 nor refreshes');
delete from stats.unrefreshed_changes where true;
insert into stats.differences (relation_name, chapter_id)
values ('daily_totals', tests.id('sor/S'));
select results_eq('select tests.reasons()', array['difference_found'], 'HE-14 an audit found one');

select * from finish();
rollback;
