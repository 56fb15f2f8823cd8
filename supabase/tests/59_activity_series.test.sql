-- AS: the dashboard's bars: activities and hours by day, week, month or year, of what the caller
-- follows up.
begin;
\ir helpers.psql
select plan(25);
select tests.settle();

select tests.add_activity('nord/ola', 'nord/A', '2026-02-28 23:59Z', 20);
select tests.add_activity('nord/liv', 'nord/B', '2026-03-01 00:00Z', 20);
select stats.refresh(p_force := true);
select tests.add_activity('nord/ola', 'nord/A', '2026-03-31 23:59Z', 20);
select tests.add_activity('nord/ola', 'nord/A', '2026-03-31 10:00Z', 500, 'draft');
select tests.add_activity('nord/cato', 'nord/C', '2026-03-10 12:00Z', 90);
select tests.add_activity('sor/sol', 'sor/S', '2026-03-10 12:00Z', 45);

create function tests.series(
    p_from text, p_to text, p_bucket text default 'month', p_chapters text[] default null)
    returns text language sql as $$
    select format(
        'select bucket_date::text, activity_count, total_hours '
        'from jsonb_to_recordset(public.get_activity_series(%L, %L, %L, %L)) as s '
        '    (bucket_date date, activity_count bigint, total_hours numeric)',
        p_from::date,
        p_to::date,
        p_bucket,
        (select array_agg(tests.id(c)) from unnest(p_chapters) c));
$$;
create function tests.refused(p_from text, p_to text, p_bucket text, p_name text)
    returns text language sql as $$
    select throws_ok(
        tests.series(p_from, p_to, p_bucket),
        '22023',
        'a period of at most ten years, and a bucket of day, week, month or year are needed',
        p_name);
$$;
grant execute on function
    tests.series(text, text, text, text[]), tests.refused(text, text, text, text)
    to public;

select tests.act_as('nord/kari');
select results_eq(
    tests.series('2026-01-15', '2026-04-01'),
    $$ values ('2026-01-01', 0::bigint, 0.00), ('2026-02-01', 1, 0.33), ('2026-03-01', 2, 0.67) $$,
    'AS-01 a coordinator''s chapters by month, zeros included, hours from the sum of minutes');
select results_eq(
    tests.series('2026-03-30', '2026-04-02', 'day'),
    $$ values ('2026-03-30', 0::bigint, 0.00), ('2026-03-31', 1, 0.33), ('2026-04-01', 0, 0.00) $$,
    'AS-02 by day');
select results_eq(
    tests.series('2026-03-01', '2026-03-03', 'week'),
    $$ values ('2026-02-23', 1::bigint, 0.33), ('2026-03-02', 0, 0.00) $$,
    'AS-03 by week, from Monday, of which only the days asked for count');
select results_eq(
    tests.series('2026-01-01', '2027-01-01', 'year'),
    $$ values ('2026-01-01', 3::bigint, 1.00) $$,
    'AS-04 by year');
select results_eq(
    tests.series('2026-02-01', '2026-04-01', 'month', '{nord/B}'),
    $$ values ('2026-02-01', 0::bigint, 0.00), ('2026-03-01', 1, 0.33) $$,
    'AS-05 of one chapter');
select results_eq(
    tests.series('2026-03-01', '2026-04-01', 'month', '{nord/B,nord/C,sor/S}'),
    $$ values ('2026-03-01', 1::bigint, 0.33) $$,
    'AS-06 those that one does not follow up add nothing');
select tests.act_as('nord/anne');
select results_eq(
    tests.series('2026-03-01', '2026-04-01'),
    $$ values ('2026-03-01', 3::bigint, 2.17) $$,
    'AS-07 an org admin''s organisation, not another');
select results_eq(
    tests.series('2026-03-01', '2026-04-01', 'month', '{nord/C,sor/S}'),
    $$ values ('2026-03-01', 1::bigint, 1.50) $$,
    'AS-08 nor by name');
select tests.act_as('nord/ola');
select results_eq(
    tests.series('2026-03-01', '2026-04-01'),
    $$ values ('2026-03-01', 0::bigint, 0.00) $$,
    'AS-09 a peer mentor follows up no chapter');
select tests.act_as('nord/ina');
select results_eq(
    tests.series('2026-03-01', '2026-04-01'),
    $$ values ('2026-03-01', 0::bigint, 0.00) $$,
    'AS-10 nor does whoever is inactive');
select tests.act_as_role('anon');
select throws_ok(
    tests.series('2026-03-01', '2026-04-01'),
    '42501', 'permission denied for function get_activity_series',
    'AS-11 anon may not ask');

select tests.act_as('nord/kari');
select tests.refused('2026-03-02', '2026-03-01', 'day', 'AS-12 a period ends after it begins');
select tests.refused('2016-01-01', '2026-01-09', 'year', 'AS-13 and has ten years at most');
select lives_ok(tests.series('2016-01-01', '2026-01-08', 'year'), 'AS-13 which are allowed');
select tests.refused('2026-03-01', '2026-04-01', 'hour', 'AS-14 an hour is no bucket');

-- ---------------------------------------------------------------- where a period ends

select tests.act_as('nord/kari');
select results_eq(
    tests.series('2026-03-01', '2026-03-31'),
    $$ values ('2026-03-01', 1::bigint, 0.33) $$,
    'AS-17 the last day is not in');
select is(current_setting('response.headers', true),
    '[{"Warning": "299 fersk \"last_day_of_month_left_out: 2026-03-31 is not in it\""}]',
    'AS-17 of which there is a warning');
select is(public.get_activity_series('2026-03-31', '2026-03-31'), '[]', 'AS-18 no day is in none');
select set_config('response.headers', '', true);
select is(
    public.get_activity_series(p_year => 2026),
    public.get_activity_series('2026-01-01', '2027-01-01'),
    'AS-19 a year can be named');
select is(current_setting('response.headers', true), '', 'AS-19 and nothing is left out');
select throws_ok(
    $$ select public.get_activity_series('2026-01-01', '2027-01-01', p_year => 2026) $$,
    '22023', 'name a period or a year, not both', 'AS-20 instead of a period');
select results_eq(
    $$ select e, app.period_warnings(e::date)
       from unnest('{2026-12-31,2026-11-30,2026-12-01,2027-01-01,2026-12-30,2024-02-28}'::text[])
            e $$,
    $$ values ('2026-12-31', '{last_day_of_year_left_out}'::text[]),
              ('2026-11-30', '{last_day_of_month_left_out}'),
              ('2026-12-01', '{last_month_of_year_left_out}'),
              ('2027-01-01', '{}'), ('2026-12-30', '{}'), ('2024-02-28', '{}') $$,
    'AS-21 ends that look as if they were meant to be in are warned of');
select is(app.period_warnings(null), '{}', 'AS-21 none is none');

select tests.act_as_owner();
update public.organization_settings
set statistics_enabled = false
where organization_id = tests.id('nord');
select tests.act_as('nord/anne');
select results_eq(
    tests.series('2026-03-01', '2026-04-01'),
    $$ values ('2026-03-01', 0::bigint, 0.00) $$,
    'AS-15 the kill switch hides it');
select tests.act_as('sor/siri');
select results_eq(
    tests.series('2026-03-01', '2026-04-01'),
    $$ values ('2026-03-01', 1::bigint, 0.75) $$,
    'AS-16 of that organisation only');

select * from finish();
rollback;
