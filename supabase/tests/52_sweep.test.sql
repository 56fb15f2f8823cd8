-- SW: the sweep, which looks after everything whatever became of the wake-ups, and the schedules.
begin;
\ir helpers.psql
select plan(25);
select tests.settle();

create function tests.swept() returns bigint language sql as $$
    select count(*) from tests.requests() where body ->> 'type' = 'sweep'
$$;
create function tests.grow_old() returns void language sql as $$
    update stats.unrefreshed_changes
    set oldest_at = clock_timestamp() - interval '11 seconds'
    where true
$$;

select is(stats.sweep(), false, 'SW-01 with nothing pending it asks for nothing');
select ok((select (public.get_health() ->> 'last_sweep_at')::timestamptz > now()),
    'SW-02 but it was there');
select tests.add_activity('sor/sol', 'sor/S');
select is(stats.sweep(), true, 'SW-03 what is in the log');
select is_empty('select from stats.activity_changes', 'SW-03 it folds itself');
select is(
    (select sum(activity_count) from stats.daily_totals where chapter_id = tests.id('sor/S')),
    1::numeric,
    'SW-03 into the totals');
select isnt_empty($$ select from stats.marks where unit_id = tests.id('sor/root') $$,
    'SW-03 and marks');
select is(tests.swept(), 0::bigint,
    'SW-04 mv_* that lack something for less than the debounce are the webhook''s business');
select tests.grow_old();
select is(stats.sweep(), true, 'SW-04 what they lack for longer was not heard');
select is(tests.swept(), 1::bigint, 'SW-04 so it asks again');
select is(
    (select body - 'type' from tests.requests() where body ->> 'type' = 'sweep'),
    jsonb_build_object(
        'table', 'activity_changes',
        'organization_id', tests.id('sor'),
        'records', '[]'::jsonb,
        'truncated', true),
    'SW-05 in the name of the organisation that waits longest');
select is(stats.sweep(), true, 'SW-06 as often as it takes');
select is(tests.swept(), 2::bigint, 'SW-06 each time it comes');
update stats.stats_refresh_log
set last_started_at = clock_timestamp() - interval '20 seconds', last_duration_ms = 1000
where only_row;
select is(stats.sweep(), false, 'SW-06 but not before it is time');
update stats.stats_refresh_log set last_started_at = null where only_row;

select tests.forget_secret('fersk_webhook_secret');
select is(stats.sweep(), true, 'SW-07 it survives a missing secret');
select is(
    (select message from stats.errors),
    'sweep: P0002: secret "fersk_webhook_secret" is not set',
    'SW-07 and puts it on record');
select is(tests.swept(), 2::bigint, 'SW-07 without sending anything');

update stats.settings set refresh_mode = 'inline' where only_row;
select is(stats.sweep(), true, 'SW-08 inline it refreshes itself');
select is_empty('select from stats.pending_changes', 'SW-08 and nothing is pending');
select is(stats.sweep(), false, 'SW-09 after which there is nothing to do');

-- ---------------------------------------------------------------- nothing grows without bound

insert into stats.errors (message) select 'error ' || n from generate_series(1, 1500) n;
insert into stats.differences (relation_name, chapter_id)
select 'daily_totals', tests.id('nord/A')
from generate_series(1, 1500);
insert into stats.marks (unit_id, period_year) values (tests.id('nowhere'), 2026);
select stats.sweep();
select results_eq(
    $$ select (select count(*) from stats.errors),
              (select count(*) from stats.differences),
              (select count(*) from stats.marks where unit_id = tests.id('nowhere')) $$,
    $$ values (1000::bigint, 1000::bigint, 0::bigint) $$,
    'SW-10 it keeps the newest thousand errors and differences, and no mark of a unit that is '
    'gone');
select is((select message from stats.errors order by id desc limit 1), 'error 1500',
    'SW-10 the newest of all');
select stats.attempt('select 1 / 0');
select is(
    (select message from stats.errors order by id desc limit 1),
    'select 1 / 0: 22012: division by zero',
    'SW-11 a part that fails is on record and fails no other');

-- ---------------------------------------------------------------- schedules

select results_eq(
    $$ select jobname::text collate "default", command, username::text collate "default", active
       from cron.job
       where jobname in ('fersk-sweep', 'fersk-hourly-refresh', 'fersk-nightly-audit')
       order by jobname $$,
    $$ values ('fersk-hourly-refresh', 'select stats.refresh(p_force := true)', 'postgres', true),
              ('fersk-nightly-audit', 'select stats.heal()', 'postgres', true),
              ('fersk-sweep', 'select stats.sweep()', 'postgres', true) $$,
    'SW-12 all are scheduled, as the owner');
select ok(
    (select schedule in ('10 seconds', '* * * * *') from cron.job where jobname = 'fersk-sweep'),
    'SW-13 the sweep at least each minute');
select ok(
    (select schedule ~ '^[0-9]+ \* \* \* \*$' from cron.job where jobname = 'fersk-hourly-refresh'),
    'SW-14 the refresh each hour');

select * from finish();
rollback;
