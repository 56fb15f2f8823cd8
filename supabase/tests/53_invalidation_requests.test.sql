-- IR: asking for a fold: at commit, one wake-up at a time, and never the writer's problem.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(33);
select tests.settle_hierarchy();
create temporary table before on commit drop as
    select coalesce(max(id), 0) as id from tests.invalidations();
create function tests.sent() returns bigint language sql as $$
    select count(*) from tests.invalidations() where id > (select id from before)
$$;
create function tests.last_sent() returns jsonb language sql as $$
    select body from tests.invalidations() order by id desc limit 1
$$;
create function tests.sends(p_statement text) returns bigint language plpgsql as $$
declare
    v_before bigint := tests.sent();
begin
    execute p_statement;
    perform tests.commit();
    return tests.sent() - v_before;
end $$;

select results_eq(
    $$ select tgdeferrable, tginitdeferred
       from pg_trigger
       where tgname like '%\_request\_upkeep' $$,
    $$ values (true, true), (true, true) $$,
    'IR-01 deferred to the commit, on both logs');
select tests.add_activity();
select is(tests.sent(), 0::bigint, 'IR-02 before it nothing is sent');
select tests.commit();
select is(tests.sent(), 1::bigint, 'IR-02 at the commit one wake-up');
select is(
    tests.last_sent(),
    (select jsonb_build_object(
         'type', 'units_changed',
         'table', 'unit_changes',
         'organization_id', tests.id('nord'),
         'truncated', false,
         'records', jsonb_build_array(
             jsonb_build_object('id', c.id, 'unit_id', tests.id('nord/A'), 'date', '2026-03-10')))
     from stats.unit_changes c),
    'IR-03 with ids and dates, and nothing else');
select ok(stats.noted_time('stats.fold_asked_at') > now(), 'IR-04 which is on record');

-- ---------------------------------------------------------------- one at a time

select is(tests.sends('select tests.add_activity()'), 0::bigint,
    'IR-05 while that one is on its way, no second');
select is((select count(*) from stats.unit_changes), 2::bigint,
    'IR-05 but its change is in the log');
select is(tests.sends($$ select tests.add_activity('sor/sol', 'sor/S') $$), 0::bigint,
    'IR-06 nor of another organisation: one fold serves all');
select public.acknowledge_wake_ups();
select is(tests.sends($$ select tests.add_activity('sor/sol', 'sor/S') $$), 1::bigint,
    'IR-07 once it is acknowledged, the next writer sends');
select is(tests.last_sent() ->> 'organization_id', tests.id('sor')::text, 'IR-07 in its own name');
select tests.asked('stats.fold_asked_at', '1.5 seconds');
select is(tests.sends('select tests.add_activity()'), 0::bigint,
    'IR-08 for two seconds one is waited for');
select tests.asked('stats.fold_asked_at', '2 seconds');
select is(tests.sends('select tests.add_activity()'), 1::bigint, 'IR-08 then it counts as lost');
select tests.asked('stats.fold_asked_at', '-1 hour');
select is(tests.sends('select tests.add_activity()'), 1::bigint,
    'IR-08 as does one of the future, before the clock was set back');
select public.acknowledge_wake_ups();
select is(
    tests.sends($$ insert into public.activities
                       (organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id,
                        occurred_at, duration_minutes)
                   select tests.id('nord'), tests.id('nord/A'), tests.id('nord/ola'),
                          tests.id('nord/ola'), tests.id('nord/talk'),
                          timestamptz '2025-01-01Z' + n * interval '1 day', 30
                   from generate_series(1, 101) n $$),
    1::bigint,
    'IR-09 a hundred rows are one wake-up');
select results_eq(
    $$ select (tests.last_sent() -> 'truncated')::boolean,
              jsonb_array_length(tests.last_sent() -> 'records') $$,
    $$ values (true, 1) $$,
    'IR-09 which names the first and says that there is more');
select public.acknowledge_wake_ups();
select is(
    tests.sends($$ select tests.add_activity(), tests.add_activity('sor/sol', 'sor/S'),
                          tests.add_activity() $$),
    1::bigint,
    'IR-10 a transaction in two organisations sends one');
select public.acknowledge_wake_ups();
create temporary table sent_before on commit drop as select tests.sent() as n;
set constraints all immediate;
select tests.add_activity();
set constraints all deferred;
select is(tests.sent(), (select n from sent_before),
    'IR-10 a constraint that is checked in the middle of a statement asks for nothing: it would '
    'be too early');

-- ---------------------------------------------------------------- what sends, and what does not

create function tests.alone(p_statement text) returns bigint language plpgsql as $$
begin
    perform public.acknowledge_wake_ups();
    return tests.sends(p_statement);
end $$;
select is(
    tests.alone($$ select tests.add_activity(p_status => 'draft', p_name => 'draft') $$),
    0::bigint,
    'IR-11 a draft sends nothing');
select is(
    tests.alone($$ update public.activities
                   set status = 'registered'
                   where id = tests.id('draft') $$),
    1::bigint,
    'IR-11 registering it does');
select is(
    tests.alone($$ update public.activities set summary = 'x' where id = tests.id('draft') $$),
    0::bigint,
    'IR-12 an edit of the text does not');
select is(
    tests.alone($$ update public.organization_units
                   set parent_id = tests.id('nord/west')
                   where id = tests.id('nord/east') $$),
    1::bigint,
    'IR-13 a move does');
savepoint before_rollback;
select tests.add_activity();
rollback to before_rollback;
select is(tests.alone('select 1'), 0::bigint, 'IR-14 what is rolled back does not');

-- ---------------------------------------------------------------- never the writer's problem

select tests.forget_secret('fersk_functions_url');
select is(tests.alone($$ select tests.add_activity(p_name => 'unheard') $$), 0::bigint,
    'IR-15 where the URL is not set nothing is sent');
select isnt_empty($$ select from public.activities where id = tests.id('unheard') $$,
    'IR-15 but the activity is registered');
select is(
    (select message from stats.errors where message ~ '^units'),
    'units_changed: P0002: secret "fersk_functions_url" is not set',
    'IR-16 and the error on record');
select is(tests.sends('select tests.add_activity()'), 0::bigint, 'IR-17 nobody tries again');
select is((select count(*) from stats.errors where message ~ '^units'), 1::bigint,
    'IR-17 for two seconds');
select private.set_secret('fersk_functions_url', 'https://functions.tests.example/functions/v1');

-- ---------------------------------------------------------------- a drain that ran out of time

select tests.settle_hierarchy();
select public.request_invalidation_again();
select is(tests.last_sent() ->> 'type', 'continued',
    'IR-18 a drain that ran out of time sends another wake-up');
select ok(
    (select (
         tests.last_sent() ->> 'organization_id')::uuid in (select id from public.organizations)),
    'IR-18 in the name of some organisation');

-- ---------------------------------------------------------------- without functions

update stats.settings set refresh_mode = 'inline' where only_row;
select tests.asked('stats.fold_asked_at', '0');
select is(tests.sends('select tests.add_activity()'), 0::bigint,
    'IR-19 where there are no functions nothing is sent');
select is((select count(*) from stats.unit_changes), 1::bigint, 'IR-19 the change is in the log');
select is(stats.sweep(), true, 'IR-20 until the sweep');
select set_eq(
    $$ select * from tests.marks() $$,
    array['nord/A 2026', 'nord/region 2026', 'nord/root 2026'],
    'IR-20 has folded it, with all that belongs to it');

select * from finish();
rollback;
