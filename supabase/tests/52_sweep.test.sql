-- SW: the sweep, which asks again whatever became of the webhooks, and the schedules.
begin;
\ir helpers.psql
select plan(19);
select tests.settle();

create function tests.swept() returns bigint language sql as $$ select count(*) from tests.requests() where body ->> 'type' = 'sweep' $$;
create function tests.grow_old() returns void language sql as $$ update stats.activity_changes set changed_at = clock_timestamp() - interval '11 seconds' where true $$;

select is(stats.sweep(), false, 'SW-01 with nothing pending it asks for nothing');
select ok((select last_sweep_at > now() and last_requested_at is null from stats.stats_refresh_log), 'SW-02 but it was there');
select tests.add_activity('sor/sol', 'sor/S');
select tests.commit();
select is(stats.sweep(), false, 'SW-03 what is younger than the debounce is the webhook''s business');
select is(tests.swept(), 0::bigint, 'SW-03 so it sends nothing');
select tests.grow_old();
select is(stats.sweep(), true, 'SW-04 what is older was not heard');
select is(tests.swept(), 1::bigint, 'SW-04 so it asks again');
select results_eq($$ select body ->> 'organization_id', jsonb_array_length(body -> 'records') from tests.requests() where body ->> 'type' = 'sweep' $$,
    $$ select tests.id('sor')::text, 1 $$, 'SW-05 in the name of the organisation that waits longest');
select is(stats.sweep(), true, 'SW-06 as often as it takes');
select is(tests.swept(), 2::bigint, 'SW-06 each time it comes');

select tests.forget_secret('fersk_webhook_secret');
select is(stats.sweep(), true, 'SW-07 it survives a missing secret');
select is((select last_error from stats.stats_refresh_log), 'P0002: secret "fersk_webhook_secret" is not set', 'SW-07 and puts it on record');
select is(tests.swept(), 2::bigint, 'SW-07 without sending anything');

update stats.settings set refresh_mode = 'inline' where true;
select is(stats.sweep(), true, 'SW-08 inline it refreshes itself');
select is_empty('select from stats.pending_changes', 'SW-08 and nothing is pending');
select is((select last_error from stats.stats_refresh_log), null, 'SW-08 nor wrong');
select is(stats.sweep(), false, 'SW-09 after which there is nothing to do');

-- ---------------------------------------------------------------- schedules

select results_eq($$ select jobname::text collate "default", command, username::text collate "default", active from cron.job where jobname in ('fersk-sweep', 'fersk-hourly-refresh') order by jobname $$,
    $$ values ('fersk-hourly-refresh', 'select stats.refresh(p_force := true)', 'postgres', true), ('fersk-sweep', 'select stats.sweep()', 'postgres', true) $$,
    'SW-10 both are scheduled, as the owner');
select ok((select schedule in ('10 seconds', '* * * * *') from cron.job where jobname = 'fersk-sweep'), 'SW-11 the sweep at least each minute');
select ok((select schedule ~ '^[0-9]+ \* \* \* \*$' from cron.job where jobname = 'fersk-hourly-refresh'), 'SW-12 the refresh each hour');

select * from finish();
rollback;
