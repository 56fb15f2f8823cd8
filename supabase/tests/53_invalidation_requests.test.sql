-- IR: asking for an invalidation: at commit, one at a time for each organisation, and never the writer's problem.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(39);
select tests.settle_hierarchy();
create temporary table before on commit drop as select coalesce(max(id), 0) as id from tests.invalidations();
create function tests.sent() returns bigint language sql as $$ select count(*) from tests.invalidations() where id > (select id from before) $$;
create function tests.last_sent() returns jsonb language sql as $$ select body from tests.invalidations() order by id desc limit 1 $$;
-- What COMMIT does first, and what BEGIN starts anew.
create function tests.commit_units() returns void language plpgsql as $$
begin
    perform tests.commit();
    perform set_config('fersk.invalidation_requested_by', '', true);
end $$;
create function tests.sends(p_statement text) returns bigint language plpgsql as $$
declare
    v_before bigint := tests.sent();
begin
    execute p_statement;
    perform tests.commit_units();
    return tests.sent() - v_before;
end $$;

select results_eq($$ select tgdeferrable, tginitdeferred from pg_trigger where tgname like '%\_request\_invalidation' $$, $$ values (true, true), (true, true) $$, 'IR-01 deferred to the commit, on both logs');
select tests.add_activity();
select is(tests.sent(), 0::bigint, 'IR-02 before it nothing is sent');
select tests.commit_units();
select is(tests.sent(), 1::bigint, 'IR-02 at the commit one wake-up');
select is(tests.last_sent(), (select jsonb_build_object('type', 'units_changed', 'table', 'unit_changes', 'organization_id', tests.id('nord'), 'truncated', false, 'records',
        jsonb_build_array(jsonb_build_object('id', c.id, 'unit_id', tests.id('nord/A'), 'date', '2026-03-10'))) from stats.unit_changes c), 'IR-03 with ids and dates, and nothing else');
select results_eq($$ select organization_id, requested_at > now() from stats.wake_ups $$, $$ values (tests.id('nord'), true) $$, 'IR-04 which is on record');

-- ---------------------------------------------------------------- one at a time

select is(tests.sends('select tests.add_activity()'), 0::bigint, 'IR-05 while that one is on its way, no second');
select is((select count(*) from stats.unit_changes), 2::bigint, 'IR-05 but its change is in the log');
select is(tests.sends($$ select tests.add_activity('sor/sol', 'sor/S') $$), 1::bigint, 'IR-06 another organisation sends its own');
select is(tests.last_sent() ->> 'organization_id', tests.id('sor')::text, 'IR-06 in its own name');
select public.acknowledge_wake_ups();
select is(tests.sends('select tests.add_activity()'), 1::bigint, 'IR-07 once it is acknowledged, the next writer sends');
update stats.wake_ups set requested_at = clock_timestamp() - interval '9 seconds' where true;
select is(tests.sends('select tests.add_activity()'), 0::bigint, 'IR-08 nine seconds one is waited for');
update stats.wake_ups set requested_at = clock_timestamp() - interval '11 seconds' where true;
select is(tests.sends('select tests.add_activity()'), 1::bigint, 'IR-08 after ten it counts as lost');
select public.acknowledge_wake_ups();
select is(tests.sends($$ insert into public.activities (organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id, occurred_at, duration_minutes)
    select tests.id('nord'), tests.id('nord/A'), tests.id('nord/ola'), tests.id('nord/ola'), tests.id('nord/talk'), timestamptz '2025-01-01Z' + n * interval '1 day', 30 from generate_series(1, 101) n $$),
    1::bigint, 'IR-09 a hundred rows are one wake-up');
select results_eq($$ select (tests.last_sent() -> 'truncated')::boolean, jsonb_array_length(tests.last_sent() -> 'records') $$, $$ values (true, 100) $$, 'IR-09 which names a hundred and says that there is more');
select public.acknowledge_wake_ups();
select is(tests.sends($$ select tests.add_activity(), tests.add_activity('sor/sol', 'sor/S'), tests.add_activity() $$), 2::bigint, 'IR-10 a transaction in two organisations sends two');

-- ---------------------------------------------------------------- what sends, and what does not

create function tests.alone(p_statement text) returns bigint language plpgsql as $$
begin
    delete from stats.wake_ups where true;
    return tests.sends(p_statement);
end $$;
select is(tests.alone($$ select tests.add_activity(p_status => 'draft', p_name => 'draft') $$), 0::bigint, 'IR-11 a draft sends nothing');
select is(tests.alone($$ update public.activities set status = 'registered' where id = tests.id('draft') $$), 1::bigint, 'IR-11 registering it does');
select is(tests.alone($$ update public.activities set summary = 'x' where id = tests.id('draft') $$), 0::bigint, 'IR-12 an edit of the text does not');
select is(tests.alone($$ update public.organization_units set parent_id = tests.id('nord/west') where id = tests.id('nord/east') $$), 1::bigint, 'IR-13 a move does');
savepoint before_rollback;
select tests.add_activity();
rollback to before_rollback;
select is(tests.alone('select 1'), 0::bigint, 'IR-14 what is rolled back does not');

-- ---------------------------------------------------------------- never the writer's problem

select tests.forget_secret('fersk_functions_url');
select is(tests.alone($$ select tests.add_activity(p_name => 'unheard') $$), 0::bigint, 'IR-15 where the URL is not set nothing is sent');
select isnt_empty($$ select from public.activities where id = tests.id('unheard') $$, 'IR-15 but the activity is registered');
select is((select last_error from stats.stats_refresh_log), 'P0002: secret "fersk_functions_url" is not set', 'IR-16 and the error on record');
select is((select count(*) from stats.wake_ups), 1::bigint, 'IR-17 nobody tries again for ten seconds');
select private.set_secret('fersk_functions_url', 'https://functions.tests.example/functions/v1');

-- ---------------------------------------------------------------- the sweep, and a drain that ran out of time

select tests.settle_hierarchy();
select is(stats.sweep_unit_changes(), false, 'IR-18 with an empty log the sweep has nothing to do');
select tests.add_activity();
select is(stats.sweep_unit_changes(), false, 'IR-18 nor with one that its own wake-up looks after');
update stats.activity_changes set changed_at = clock_timestamp() - interval '3 seconds' where true;
select is(stats.sweep_unit_changes(), true, 'IR-19 what is left for seconds it asks about');
select is(tests.last_sent() - 'records', jsonb_build_object('type', 'sweep', 'table', 'unit_changes', 'organization_id', tests.id('nord'), 'truncated', false), 'IR-19 with a wake-up of its own');
select tests.forget_secret('fersk_webhook_secret');
select is(stats.sweep_unit_changes(), true, 'IR-20 without a secret it does not fail');
select is((select last_error from stats.stats_refresh_log), 'P0002: secret "fersk_webhook_secret" is not set', 'IR-20 but says why nothing was sent');
select tests.settle();
select is(tests.last_sent() ->> 'type', 'sweep', 'IR-21 (the last was the sweep''s)');
select tests.forget_unit_changes();
select public.request_invalidation_again();
select is(tests.last_sent() ->> 'type', 'continued', 'IR-21 a drain that ran out of time sends another wake-up');
select ok((select (tests.last_sent() ->> 'organization_id')::uuid in (select id from public.organizations)), 'IR-22 in the name of some organisation, though the log is empty');

-- ---------------------------------------------------------------- without functions

delete from stats.wake_ups where true;
select tests.add_activity();
update stats.activity_changes set changed_at = clock_timestamp() - interval '11 minutes' where true;
create temporary table sent_before on commit drop as select tests.sent() as n;
select is(stats.sweep_unit_changes(), true, 'IR-23 what no function has taken for ten minutes');
select is_empty($$ select * from stats.unit_changes $$, 'IR-23 the sweep drains itself');
select set_eq($$ select * from tests.marks() $$, array['nord/A 2026', 'nord/region 2026', 'nord/root 2026'], 'IR-23 with all that belongs to it');
update stats.settings set refresh_mode = 'inline' where true;
update public.organization_units set parent_id = tests.id('nord/west') where id = tests.id('nord/G');
update stats.tree_changes set changed_at = clock_timestamp() - interval '3 seconds' where true;
select is(stats.sweep_unit_changes(), true, 'IR-24 where there are no functions');
select is_empty($$ select * from stats.unit_changes $$, 'IR-24 it does so always');
select is(tests.sent(), (select n from sent_before), 'IR-24 and sends nothing');

select * from finish();
rollback;
