-- RQ: asking for a refresh: at commit, once a transaction, once a debounce, and never the writer's
-- problem.
begin;
\ir helpers.psql
select plan(43);
select tests.settle();

create function tests.requested() returns bigint language sql as $$
    select count(*) from tests.requests()
$$;
create function tests.window_is_over() returns void language sql as $$
    select tests.asked('stats.refresh_asked_at', '11 seconds'),
           setval('stats.fold_asked_at', 0, false);
    update stats.stats_refresh_log
    set last_started_at = clock_timestamp() - interval '11 seconds', last_duration_ms = 0
    where only_row;
$$;
create function tests.mine() returns bigint language sql as $$
    select coalesce(sum(change_count), 0)::bigint
    from stats.pending_changes
    where organization_id = tests.id('nord')
$$;

-- ---------------------------------------------------------------- one transaction, one request

select results_eq(
    $$ select tgdeferrable, tginitdeferred, tgconstraint <> 0,
              pg_get_triggerdef(oid) ~ 'WHEN \(new.is_first\)'
       from pg_trigger
       where tgname = 'activity_changes_request_upkeep' $$,
    $$ values (true, true, true, true) $$,
    'RQ-01 the trigger is a constraint trigger, deferred to the commit, on the first row of each '
    'statement');
select tests.act_as('nord/ola');
select tests.add_activity(p_name => 'first');
select tests.act_as_owner();
select is(tests.requested(), 0::bigint, 'RQ-02 before the commit nothing is asked for');
select tests.commit();
select is(tests.requested(), 1::bigint, 'RQ-03 one INSERT asks for one refresh');
select ok((select last_requested_at > now() and last_started_at is null from stats.refresh_pace),
    'RQ-04 which is on record, as asked for, not as done');
select results_eq(
    $$ select url, body from tests.requests() $$,
    $$ select 'https://functions.tests.example/functions/v1/refresh-stats-views',
              jsonb_build_object(
                  'type', 'activities_changed',
                  'table', 'activity_changes',
                  'organization_id', tests.id('nord'),
                  'truncated', false,
                  'records', jsonb_build_array(jsonb_build_object(
                      'id', c.id,
                      'unit_id', tests.id('nord/A'),
                      'date', '2026-03-10')))
       from stats.activity_changes c
       where c.organization_id = tests.id('nord') $$,
    'RQ-05 with ids and dates, and nothing else');

select public.acknowledge_wake_ups();
select tests.add_activity();
select tests.commit();
select is(tests.requested(), 1::bigint,
    'RQ-06 a second transaction within ten seconds does not ask again');
select is(tests.mine(), 2::bigint, 'RQ-06 and its change is in the log');
select tests.window_is_over();
select tests.add_activity();
select tests.commit();
select is(tests.requested(), 2::bigint, 'RQ-07 one after that does');

select tests.window_is_over();
insert into public.activities
    (organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id, occurred_at,
     duration_minutes)
select tests.id('nord'), tests.id('nord/A'), tests.id('nord/ola'), tests.id('nord/ola'),
       tests.id('nord/talk'), timestamptz '2025-01-01Z' + n * interval '1 day', 30
from generate_series(1, 100) n;
select tests.commit();
select is(tests.requested(), 3::bigint, 'RQ-08 a hundred rows in one statement ask once');
select is(
    (select count(*) filter (where is_first)
     from (select c.is_first from stats.activity_changes c order by c.id desc limit 100) l),
    1::bigint,
    'RQ-08 one of them is the first');
select tests.window_is_over();
do $$ begin
    for n in 1..100 loop
        perform tests.add_activity(p_at => timestamptz '2026-01-01Z' + n * interval '1 day');
    end loop;
end $$;
select tests.commit();
select is(tests.requested(), 4::bigint, 'RQ-09 a hundred statements in one transaction ask once');
select is(tests.mine(), 203::bigint, 'RQ-09 and all is in the log');
select results_eq(
    $$ select (body -> 'truncated')::boolean, jsonb_array_length(body -> 'records')
       from tests.requests()
       order by id desc
       limit 1 $$,
    $$ values (true, 1) $$,
    'RQ-10 of which the request names the first and says that there is more: it reads no log for '
    'the rest');
select tests.window_is_over();
select tests.asked('stats.refresh_asked_at', '-1 hour');
select tests.add_activity();
select tests.commit();
select is(tests.requested(), 5::bigint,
    'RQ-11 a request in the future, of a clock that was set back, holds up nothing');
select tests.window_is_over();
update stats.stats_refresh_log
set last_started_at = clock_timestamp() - interval '9 seconds'
where only_row;
select tests.add_activity();
select tests.commit();
select is(tests.requested(), 5::bigint, 'RQ-11 a refresh that was done of late does');

-- ---------------------------------------------------------------- what asks, and what does not

create function tests.asks(p_statement text) returns bigint language plpgsql as $$
declare
    v_before bigint := tests.requested();
begin
    perform tests.window_is_over();
    execute p_statement;
    perform tests.commit();
    return tests.requested() - v_before;
end $$;
select is(
    tests.asks($$ update public.activities
                  set duration_minutes = 15
                  where id = tests.id('first') $$),
    1::bigint,
    'RQ-12 a correction asks');
select is(
    tests.asks($$ update public.activities set summary = 'x' where id = tests.id('first') $$),
    0::bigint,
    'RQ-13 an edit that changes no statistic does not');
select is(tests.asks($$ select tests.add_activity(p_status => 'draft') $$), 0::bigint,
    'RQ-14 nor does a draft');
select is(tests.asks($$ delete from public.activities where id = tests.id('first') $$), 1::bigint,
    'RQ-15 a deletion does');
select tests.window_is_over();
savepoint before;
select tests.add_activity();
rollback to before;
select tests.commit();
select is(
    (select count(*) from tests.requests() where body ->> 'type' = 'activities_changed'),
    7::bigint,
    'RQ-16 what was rolled back does not');
select is(tests.asks($$ select tests.add_activity('sor/sol', 'sor/S') $$), 1::bigint,
    'RQ-17 another organisation''s asks too');
select is(
    (select body ->> 'organization_id' from tests.requests() order by id desc limit 1),
    tests.id('sor')::text,
    'RQ-18 in its own name');
select is(
    (select jsonb_array_length(body -> 'records') from tests.requests() order by id desc limit 1),
    1,
    'RQ-18 and of its own changes only');

-- without a debounce, it is the transaction alone that makes it one
update stats.settings set debounce = '0' where only_row;
select is(
    tests.asks($$ select tests.add_activity(p_at => at)
                  from generate_series(timestamptz '2026-07-02Z', '2026-07-11Z', '1 day') at $$),
    1::bigint,
    'RQ-30 ten rows of one transaction ask once, however often one may ask');
select is(tests.asks($$ select tests.add_activity() $$), 1::bigint,
    'RQ-30 the next transaction again');
update stats.settings set debounce = '10 seconds' where only_row;

-- ---------------------------------------------------------------- never the writer's problem

select tests.forget_secret('fersk_functions_url');
select is(tests.asks($$ select tests.add_activity(p_name => 'unheard') $$), 0::bigint,
    'RQ-19 where the URL is not set nothing is sent');
select isnt_empty($$ select from public.activities where id = tests.id('unheard') $$,
    'RQ-20 but the activity is registered');
select isnt_empty($$ select from stats.activity_changes where organization_id = tests.id('nord') $$,
    'RQ-20 its change is in the log');
select results_eq(
    $$ select e.message, p.last_requested_at > now()
       from stats.refresh_pace p, stats.errors e
       where e.message ~ '^activities' $$,
    $$ values ('activities_changed: P0002: secret "fersk_functions_url" is not set', true) $$,
    'RQ-21 and the error on record, once a debounce');

-- ---------------------------------------------------------------- inline

select tests.settle();
update stats.settings set refresh_mode = 'inline' where only_row;
create temporary table seen on commit drop as
    select tests.requested() as requests, null::timestamptz as finished_at;
create function tests.snapshot() returns bigint language sql as $$
    select coalesce(sum(activity_count), 0)::bigint
    from stats.mv_chapter_stats
    where organization_id = tests.id('nord')
$$;
select stats.rebuild();
select stats.refresh(p_force := true);
select tests.window_is_over();
select tests.act_as('nord/ola');
select tests.add_activity();
select tests.commit();
select tests.act_as_owner();
select is(tests.mine(), 0::bigint, 'RQ-22 inline, the commit itself folds and refreshes');
select is_empty('select from stats.activity_changes', 'RQ-22 so the log is empty');
select is(
    tests.snapshot(),
    (select count(*) from stats.countable_activities where organization_id = tests.id('nord')),
    'RQ-22 mv_* are complete');
select is(tests.requested(), (select requests from seen), 'RQ-22 and nothing is sent');
update seen set finished_at = (select last_finished_at from stats.stats_refresh_log) where true;
select ok((select finished_at > now() from seen), 'RQ-23 it is on record');
select tests.add_activity();
select tests.commit();
select is((select last_finished_at from stats.stats_refresh_log), (select finished_at from seen),
    'RQ-24 a second within ten seconds does not refresh');
select is(tests.mine(), 1::bigint, 'RQ-24 its change is in the log');
select tests.window_is_over();
insert into public.activities
    (organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id, occurred_at,
     duration_minutes)
select tests.id('nord'), tests.id('nord/A'), tests.id('nord/ola'), tests.id('nord/ola'),
       tests.id('nord/talk'), timestamptz '2025-01-01Z' + n * interval '1 day', 30
from generate_series(1, 100) n;
select tests.commit();
select is((select last_applied from stats.stats_refresh_log), 101::bigint,
    'RQ-25 a hundred rows in one transaction are one refresh, with what was pending');

select tests.window_is_over();
drop index stats.mv_chapter_stats_chapter_id_idx;
select lives_ok($$ select tests.add_activity(p_name => 'broken'), tests.commit() $$,
    'RQ-26 with a view that cannot be refreshed an INSERT succeeds');
select isnt_empty($$ select from public.activities where id = tests.id('broken') $$,
    'RQ-26 the activity is registered');
select is(
    (select message from stats.errors order by id desc limit 1),
    'refresh: 55000: cannot refresh materialized view "stats.mv_chapter_stats" concurrently',
    'RQ-27 the error is on record');
select is(tests.mine(), 1::bigint, 'RQ-28 and the change still pending');
drop materialized view stats.mv_chapter_stats cascade;
select tests.window_is_over();
select lives_ok($$ select tests.add_activity(p_name => 'dropped'), tests.commit() $$,
    'RQ-29 nor does it fail where a view is gone');
select isnt_empty($$ select from public.activities where id = tests.id('dropped') $$,
    'RQ-29 the activity is registered');

select * from finish();
rollback;
