-- DY: on which day an activity counts, what is to come, and how long a day is.
begin;
\ir helpers.psql
select plan(33);

create function tests.day(p_name text) returns text language sql as $$
    select a.activity_date || case when a.is_date_given then ' given' else ' derived' end
    from public.activities a where a.id = tests.id(p_name)
$$;
create function tests.total(p_year integer) returns bigint language sql as $$
    select sum((s ->> 'activity_count')::bigint)::bigint
    from jsonb_array_elements(public.get_activity_series(p_year => p_year)) s
$$;
grant execute on all functions in schema tests to public;

-- ---------------------------------------------------------------- the day

select throws_ok(
    $$ update public.organization_settings set time_zone = 'Europe/Olso'
       where organization_id = tests.id('nord') $$,
    '23514', 'new row for relation "organization_settings" violates check constraint '
    '"organization_settings_time_zone_is_known"', 'DY-01 a time zone has to exist');
select throws_ok(
    $$ update public.organization_settings set time_zone = 'CEST'
       where organization_id = tests.id('nord') $$,
    '23514', 'new row for relation "organization_settings" violates check constraint '
    '"organization_settings_time_zone_is_known"', 'DY-01 and an abbreviation is none');
select tests.add_activity(p_name => 'new year', p_at => '2026-01-01T00:00+01:00');
select is(tests.day('new year'), '2025-12-31 derived', 'DY-02 by default, days are those of UTC');
update public.organization_settings set time_zone = 'Europe/Oslo'
where organization_id = tests.id('nord');
select is(tests.day('new year'), '2026-01-01 derived',
    'DY-03 another time zone derives those anew that were derived');
select tests.act_as('nord/anne');
select is(tests.total(2025), 0::bigint, 'DY-04 in the series');
select is(tests.total(2026), 1::bigint, 'DY-04 in the series');
select is((public.get_hierarchy_stats(tests.id('nord/root'), 2026) -> 'activity_count')::integer, 1,
    'DY-04 the hierarchy');
select is(
    (public.generate_bufdir_report(tests.id('nord'), p_year => 2026)
        #> '{totals,activity_count}')::integer, 1, 'DY-04 the report');
select results_eq(
    $$ select bucket_date::text from public.activity_time_series $$, array['2026-01-01'],
    'DY-04 the time series');
select results_eq(
    $$ select last_activity_date::text from public.peer_mentor_stats $$, array['2026-01-01'],
    'DY-04 the last activity');
select results_eq(
    $$ select activity_month::text from public.coordinator_monthly_stats $$, array['2026-01-01'],
    'DY-04 and the coordinator''s months');

select tests.act_as('nord/ola');
select tests.add_activity(p_name => 'picked', p_at => '2026-01-01T00:30+01:00',
                          p_date => '2025-12-31');
select is(tests.day('picked'), '2025-12-31 given', 'DY-05 the day that the app gives is the day');
update public.activities set occurred_at = '2026-01-02T12:00Z' where id = tests.id('picked');
select is(tests.day('picked'), '2026-01-02 derived',
    'DY-06 whoever corrects the moment alone has not given the day of the new one');
update public.activities set activity_date = '2026-01-01' where id = tests.id('picked');
select is(tests.day('picked'), '2026-01-01 given', 'DY-07 a day that is corrected is given');
update public.activities
set occurred_at = '2026-01-03T12:00Z', activity_date = '2026-01-04' where id = tests.id('picked');
select is(tests.day('picked'), '2026-01-04 given', 'DY-08 also with its moment');
update public.activities set summary = 'another text' where id = tests.id('picked');
select is(tests.day('picked'), '2026-01-04 given', 'DY-09 and stays through other changes');
select throws_ok(
    $$ update public.activities set activity_date = '2026-01-05' where id = tests.id('picked') $$,
    '23514', 'new row for relation "activities" violates check constraint '
    '"activities_date_fits_moment"', 'DY-10 it is at most a day off the moment');
select throws_ok(
    $$ select tests.add_activity(p_at => '2000-01-01T00:00Z', p_date => '1999-12-31') $$,
    '23514', 'new row for relation "activities" violates check constraint '
    '"activities_activity_date_check"', 'DY-10 of years that can be asked for');
select lives_ok(
    $$ select tests.add_activity(p_at => '2000-01-01T00:00Z', p_date => '2000-01-01',
                                 p_name => 'the first', p_minutes => 30) $$,
    'DY-10 from the first day on');
delete from public.activities where id = tests.id('the first');
select throws_ok(
    $$ update public.activities set is_date_given = false where id = tests.id('picked') $$,
    '42501', 'permission denied for table activities', 'DY-11 whether it was given is a fact');
select tests.act_as_owner();
update public.organization_settings set time_zone = 'Pacific/Auckland'
where organization_id = tests.id('nord');
select is(tests.day('picked'), '2026-01-04 given', 'DY-12 no time zone changes what was given');
update public.activities set occurred_at = occurred_at, activity_date = activity_date
where id = tests.id('new year');
select is(tests.day('new year'), '2026-01-01 derived',
    'DY-12 and who sends a derived day once more has not given it');

-- ---------------------------------------------------------------- what is to come

select tests.act_as('nord/ola');
select throws_ok(
    $$ select tests.add_activity(p_at => now() + interval '1 hour') $$,
    '23514', 'what has not taken place yet can only be a draft', 'DY-13 the future does not count');
select throws_ok(
    $$ select tests.add_activity(p_at => '2062-03-10Z') $$,
    '23514', 'what has not taken place yet can only be a draft', 'DY-13 however far it is');
select lives_ok(
    $$ select tests.add_activity(p_at => now() + interval '7 days', p_status => 'draft',
                                 p_name => 'planned') $$,
    'DY-14 it may be planned');
select throws_ok(
    $$ update public.activities set status = 'registered' where id = tests.id('planned') $$,
    '23514', 'what has not taken place yet can only be a draft', 'DY-14 and is no more than that');
select lives_ok(
    $$ update public.activities set occurred_at = now() - interval '1 hour', status = 'registered'
       where id = tests.id('planned') $$,
    'DY-14 until it has taken place');
select lives_ok(
    $$ select tests.add_activity(p_at => now() + interval '4 minutes', p_name => 'a clock') $$,
    'DY-15 clocks may be a little off');

-- ---------------------------------------------------------------- a day has 24 hours

select tests.add_activity(p_at => '2026-03-10 12:00Z', p_minutes => 1000, p_name => 'long');
select throws_ok(
    $$ select tests.add_activity(p_at => '2026-03-10 12:30Z', p_minutes => 441) $$,
    '23514', 'more than 24 hours of one person on one day', 'DY-16 a day has 24 hours');
select lives_ok(
    $$ select tests.add_activity(p_at => '2026-03-10 12:30Z', p_minutes => 440,
                                 p_name => 'rest') $$,
    'DY-16 all of which may be used');
select throws_ok(
    $$ update public.activities set duration_minutes = 441 where id = tests.id('rest') $$,
    '23514', 'more than 24 hours of one person on one day', 'DY-17 also in a correction');
update public.activities set status = 'draft' where id = tests.id('long');
select lives_ok(
    $$ update public.activities set duration_minutes = 1440 where id = tests.id('rest') $$,
    'DY-18 drafts take none of it');
select tests.act_as_owner();
select throws_ok(
    $$ insert into public.activities (organization_id, unit_id, peer_mentor_id, registered_by,
                                      activity_type_id, occurred_at, duration_minutes)
       select tests.id('nord'), tests.id('nord/A'), tests.id('nord/liv'), tests.id('nord/liv'),
              tests.id('nord/talk'), timestamptz '2026-03-12 12:00Z', 1440
       from generate_series(1, 2000) $$,
    '23514', 'more than 24 hours of one person on one day', 'DY-19 nor two thousand days in one');

select * from finish();
rollback;
