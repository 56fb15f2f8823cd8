-- MS: a coordinator's months, with zeros for those without activities.
begin;
\ir helpers.psql
select plan(23);
select tests.settle();

select tests.add_activity('nord/ola', 'nord/A', '2026-03-01 00:00Z', 60, p_name => 'with expenses');
select tests.add_activity('nord/ola', 'nord/A', '2026-03-31 23:59Z', 40, p_type => 'nord/visit');
select tests.add_activity('nord/liv', 'nord/B', '2026-05-31 23:30Z', 90);
select tests.add_activity('nord/cato', 'nord/C', '2026-04-10 12:00Z', 45);
insert into public.expense_claims (activity_id, amount_nok, status, organization_id)
values (tests.id('with expenses'), 250.50, 'approved', tests.id('nord'));

create function tests.series(
    p_coordinator text, p_from text default '2026-02-20', p_to text default '2026-05-02')
    returns text language sql as $$
    select format(
        'select activity_month::text, activity_count, total_duration_minutes, total_hours, '
        '       approved_expenses_nok '
        'from jsonb_to_recordset(public.get_monthly_series(%L, %L, %L)) as s '
        '    (activity_month date, activity_count bigint, total_duration_minutes bigint, '
        '     total_hours numeric, approved_expenses_nok numeric)',
        tests.id(p_coordinator),
        p_from::date,
        p_to::date);
$$;
create function tests.karis_months() returns text language sql as $$
    select $q$ values ('2026-02-01', 0::bigint, 0::bigint, 0.00, 0::numeric),
                      ('2026-03-01', 2, 100, 1.67, 250.50),
                      ('2026-04-01', 0, 0, 0, 0),
                      ('2026-05-01', 1, 90, 1.5, 0) $q$;
$$;
create function tests.refused(p_from text, p_to text, p_name text) returns text language sql as $$
    select throws_ok(
        format('select * from public.get_monthly_series(%L, %L, %L)', tests.id('nord/kari'), p_from,
            p_to),
        '22023',
        'a coordinator and a period of at most ten years, p_from not after p_to, are needed',
        p_name);
$$;
grant execute on function
    tests.series(text, text, text), tests.karis_months(), tests.refused(text, text, text)
    to public;

select tests.act_as('nord/kari');
select results_eq(tests.series('nord/kari'), tests.karis_months(),
    'MS-01 every month from that of the first day to that of the last, empty ones as zeros');
select results_eq(
    tests.series('nord/kari', '2026-03-31', '2026-04-01'),
    $$ values ('2026-03-01', 2::bigint, 100::bigint, 1.67, 250.50) $$,
    'MS-02 a day stands for its month');
select results_eq(
    tests.series('nord/kari', '2019-12-31', '2020-01-02'),
    $$ values ('2019-12-01', 0::bigint, 0::bigint, 0.00, 0::numeric), ('2020-01-01', 0, 0, 0, 0) $$,
    'MS-03 a period without any activity is zeros too');
select tests.act_as('nord/anne');
select results_eq(tests.series('nord/kari'), tests.karis_months(),
    'MS-04 an org admin sees a coordinator''s');
select results_eq(
    tests.series('nord/cora', '2026-04-01', '2026-05-01'),
    $$ values ('2026-04-01', 1::bigint, 45::bigint, 0.75, 0.00) $$,
    'MS-05 any coordinator''s');
select tests.act_as('nord/ola');
select results_eq(
    tests.series('nord/ola', '2026-03-01', '2026-04-01'),
    $$ values ('2026-03-01', 0::bigint, 0::bigint, 0.00, 0::numeric) $$,
    'MS-06 who follows up nobody has zeros');

select throws_ok(tests.series('nord/kari'), '42501', 'not your statistics',
    'MS-07 a peer mentor is refused a coordinator''s');
select tests.act_as('nord/cora');
select throws_ok(tests.series('nord/kari'), '42501', 'not your statistics',
    'MS-08 as is another coordinator');
select tests.act_as('sor/siri');
select throws_ok(tests.series('nord/kari'), '42501', 'not your statistics',
    'MS-09 and another organisation');
select tests.act_as('nord/ina');
select throws_ok(tests.series('nord/ina'), '42501', 'not your statistics',
    'MS-10 whoever is inactive is refused their own');
select tests.act_as('nord/anne');
select throws_ok(tests.series('nord/nobody'), '42501', 'not your statistics',
    'MS-11 somebody who is not there cannot be told from one who is not one''s business');
select tests.act_as_role('anon');
select throws_ok(
    tests.series('nord/kari'),
    '42501', 'permission denied for function get_monthly_series',
    'MS-12 anon may not ask');

select tests.act_as('nord/kari');
select lives_ok(tests.series('nord/kari', '2016-01-01', '2026-01-08'),
    'MS-13 ten years are allowed');
select tests.refused('2016-01-01', '2026-01-09', 'MS-14 more are not');
select tests.refused('2026-03-02', '2026-03-01',
    'MS-15 nor is a period that ends before it begins');
select tests.refused(null, '2026-03-01', 'MS-16 nor one without a beginning');
select throws_ok(
    $$ select * from public.get_monthly_series(null, '2026-03-01', '2026-03-01') $$,
    '22023', 'a coordinator and a period of at most ten years, p_from not after p_to, are needed',
    'MS-17 nor nobody''s');

select is(public.get_monthly_series(tests.id('nord/kari'), '2026-03-01', '2026-03-01'), '[]',
    'MS-20 the last day is not in');
select is(
    public.get_monthly_series(tests.id('nord/kari'), p_year => 2026),
    public.get_monthly_series(tests.id('nord/kari'), '2026-01-01', '2027-01-01'),
    'MS-21 a year can be named');
select throws_ok(
    $$ select public.get_monthly_series(tests.id('nord/kari'), '2026-01-01', p_year => 2026) $$,
    '22023', 'name a period or a year, not both', 'MS-21 instead of a period');
select throws_ok(
    $$ select public.get_monthly_series(tests.id('nord/kari'), p_year => 1999) $$,
    '22023', 'the year must be between 2000 and 2099', 'MS-21 of this century');
select tests.act_as_owner();
update public.organization_settings
set statistics_enabled = false
where organization_id = tests.id('nord');
select tests.act_as('nord/kari');
select throws_ok(tests.series('nord/kari'), '42501', 'not your statistics',
    'MS-18 the kill switch closes it');
select tests.act_as('sor/sven');
select lives_ok(tests.series('sor/sven'), 'MS-19 to that organisation only');

select * from finish();
rollback;
