-- BR: what is reported to Bufdir, of which days, and to whom it is told.
begin;
\ir helpers.psql
select plan(50);
select tests.settle();

insert into public.bufdir_category_mappings
    (mapping_version, activity_type_id, bufdir_category_code)
values (1, tests.id('nord/talk'), 'INDIVIDUAL'), (2, tests.id('nord/talk'), 'INDIVIDUAL'),
       (2, tests.id('nord/visit'), 'VISIT'), (9, tests.id('sor/talk'), 'INDIVIDUAL');
select tests.publish(1), tests.publish(2), tests.publish(9, p_organization => 'sor');
update public.organization_units
set parent_id = tests.id('nord/root')
where id = tests.id('nord/C');

create function tests.report(
    p_organization text default 'nord', p_start date default '2025-01-01',
    p_end date default '2026-01-01', p_mapping integer default null)
    returns jsonb language sql as $$
    select public.generate_bufdir_report(tests.id(p_organization), p_start, p_end, p_mapping)
$$;
create function tests.figures(p_part jsonb) returns text language sql as $$
    select format(
        '%s / %s h / %s persons / %s present',
        p_part ->> 'activity_count', p_part ->> 'total_hours',
        p_part ->> 'distinct_participants', p_part ->> 'participant_count');
$$;
create function tests.at(
    p_moment timestamptz, p_contact text default null, p_by text default null,
    p_unit text default 'nord/A', p_type text default 'nord/talk', p_minutes integer default 50,
    p_status public.activity_status default 'registered')
    returns void language plpgsql as $$
declare
    v_id uuid := tests.add_activity(
        'nord/ola', p_unit, p_moment, p_minutes, p_status,
        p_by => p_by, p_type => p_type, p_participants => 2);
begin
    update public.activities set contact_id = tests.id(p_contact) where id = v_id;
end $$;
grant execute on all functions in schema tests to public;

-- ---------------------------------------------------------------- nothing

select tests.act_as('nord/anne');
select is(tests.report(), jsonb_build_object(
    'organization_id', tests.id('nord'), 'period_start', '2025-01-01', 'period_end',
        '2026-01-01', 'mapping_version', 2,
    'categories', '[]'::jsonb, 'uncategorised', '[]'::jsonb, 'regions', '[]'::jsonb,
    'totals', '{"activity_count": 0, "total_hours": 0.00, "distinct_participants": 0, '
        '"participant_count": 0}'::jsonb),
    'BR-01 without activities the lists are empty and the totals zero');
select is(tests.report(p_end => '2025-01-01') -> 'categories', '[]',
    'BR-02 a period of no days is a period');

-- ---------------------------------------------------------------- what counts, and when

select tests.act_as_owner();
select tests.at('2025-01-01 00:00Z', 'c1'), tests.at('2024-12-31 23:59:59.999999Z', 'c2'),
       tests.at('2025-12-31 23:59:59.999999Z', 'c1', 'nord/kari'),
       tests.at('2026-01-01 00:00Z', 'c3'), tests.at('2025-01-01 00:30+01', 'c4'),
       tests.at('2025-03-01Z', 'c5', p_status => 'draft'), tests.at('2025-03-01Z', 'c6',
           p_status => 'rejected');
select tests.act_as('nord/anne');
select is(tests.figures(tests.report() -> 'totals'), '2 / 1.67 h / 1 persons / 4 present',
    'BR-03 the start is in, the end is out, in UTC; drafts and rejected ones are not; a person '
        'met directly and by proxy is one');
select is(
    tests.figures(tests.report(p_start => '2024-12-01', p_end => '2025-01-01') -> 'totals'),
    '2 / 1.67 h / 2 persons / 4 present',
    'BR-04 the month before has the others');
select is(
    tests.figures(tests.report(p_start => '2026-01-01', p_end => '2026-02-01') -> 'totals'),
    '1 / 0.83 h / 1 persons / 2 present',
    'BR-04 and the month after its own');

-- ---------------------------------------------------------------- categories, regions

select tests.act_as_owner();
select tests.at(
    '2025-05-01Z',
    'c1', p_unit => 'nord/C', p_type => 'nord/visit'), tests.at('2025-05-02Z', null,
    p_unit => 'nord/C', p_type => 'nord/visit',
    p_minutes => 1);
select tests.act_as('nord/anne');
select is(
    jsonb_array_length(tests.report() -> 'categories'),
    2,
    'BR-05 each category has an element');
select is(
    tests.figures(tests.report() #> '{categories,0}'),
    '2 / 1.67 h / 1 persons / 4 present',
    'BR-06 INDIVIDUAL');
select is(
    tests.figures(tests.report() #> '{categories,1}'),
    '2 / 0.85 h / 1 persons / 4 present',
    'BR-06 VISIT, minutes summed before they are hours');
select is(
    tests.figures(tests.report() -> 'totals'),
    '4 / 2.52 h / 1 persons / 8 present',
    'BR-07 in all a person counts once, too');
select is(
    tests.report() -> 'uncategorised',
    '[]',
    'BR-08 with everything mapped nothing is uncategorised');
select is(
    tests.report(p_mapping => 1) #>> '{uncategorised,0,activity_type_code}',
    'visit',
    'BR-09 with the older mapping a type is');
select is(
    tests.figures(tests.report(p_mapping => 1) #> '{uncategorised,0}'),
    '2 / 0.85 h / 1 persons / 4 present',
    'BR-09 and counted');
select is(
    tests.report(p_mapping => 1) -> 'totals',
    tests.report() -> 'totals',
    'BR-10 the totals do not depend on the mapping');
select is(
    tests.report(p_mapping => 0) -> 'categories',
    '[]',
    'BR-11 version 0 stands for no mapping');
select is(
    jsonb_array_length(tests.report(p_mapping => 0) -> 'uncategorised'),
    2,
    'BR-11 so every type is uncategorised');
select is(
    tests.report() ->> 'mapping_version',
    '2',
    'BR-12 the newest mapping, unless one is named');
select results_eq($$ select r ->> 'region_name', tests.figures(r)
    from jsonb_array_elements(tests.report() -> 'regions') r $$,
    $$ values ('region', '2 / 1.67 h / 1 persons / 4 present'), (null,
        '2 / 0.85 h / 1 persons / 4 present') $$, 'BR-13 by region; what is in none stands last');
select tests.act_as_owner();
insert into public.organization_units (id, organization_id, parent_id, kind, name) values
    (tests.id('nord/inner'), tests.id('nord'), tests.id('nord/region'), 'region', 'inner');
update public.organization_units set parent_id = tests.id('nord/inner')
    where id = tests.id('nord/A');
select tests.act_as('nord/anne');
select is(
    tests.report() #>> '{regions,0,region_name}',
    'inner',
    'BR-14 the nearest of two regions above each other');
select is((select array_agg(k order by k)
    from jsonb_object_keys(tests.report() #> '{categories,0}') k),
    array['activity_count', 'bufdir_category_code', 'distinct_participants', 'participant_count',
          'total_hours'],
    'BR-15 aggregates and codes, nothing else');

-- ---------------------------------------------------------------- who

select is(
    tests.figures(tests.report() -> 'totals'),
    '4 / 2.52 h / 1 persons / 8 present',
    'BR-16 an org admin is told everything');
select tests.act_as('nord/kari');
select is(
    tests.report() ->> 'organization_id',
    tests.id('nord')::text,
    'BR-16 a coordinator, too, but for small groups (SG)');
select tests.act_as('nord/ola');
select throws_ok(format('select tests.report(p_end => %L)', e), '42501',
    'only coordinators and org admins see reports',
                 'BR-16 a peer mentor is told nothing, of whatever period: ' || e)
from unnest('{2026-01-01,2025-01-02}'::text[]) e;
select tests.act_as('sor/siri');
select throws_ok($$ select tests.report() $$, '42501', 'not your organisation',
    'BR-17 nobody about another one');
select is(tests.figures(tests.report('sor') -> 'totals'), '0 / 0.00 h / 0 persons / 0 present',
    'BR-17 but about their own');
select tests.act_as('nord/ina');
select throws_ok($$ select tests.report() $$, '42501', 'not your organisation',
    'BR-18 whoever is inactive is told nothing');
select tests.act_as('nord/kari', p_organization => 'sor');
select throws_ok($$ select tests.report() $$, '42501', 'not your organisation',
    'BR-19 nor is a token of another organisation');
select throws_ok($$ select tests.report('sor') $$, '42501', 'not your organisation',
    'BR-19 about either');
select tests.act_as_role('anon');
select throws_ok(
    $$ select tests.report() $$,
    '42501', 'permission denied for function generate_bufdir_report',
    'BR-20 anon may not ask');
select tests.act_as_role('service_role');
select throws_ok(
    $$ select tests.report() $$,
    '42501', 'permission denied for function generate_bufdir_report',
    'BR-20 nor the service role');

-- ---------------------------------------------------------------- what is no question

select tests.act_as('nord/kari');
select throws_ok(
    $$ select tests.report(p_end => '2024-12-31') $$,
    '22023', 'period_end is before period_start',
    'BR-21 an end before the start is refused');
select throws_ok(format('select tests.report(%L, %L, %L)', 'nord', p[1], p[2]), '22023',
                 'a period is whole months of this century: it starts and ends on the first day '
                     'of one', 'BR-28 nor is a part of a month a period: ' || p::text)
from (values ('{2025-03-10,2025-03-11}'::text[]), ('{2025-03-02,2025-04-01}'),
    ('{2025-03-01,2025-03-31}'), ('{2025-01-01,2025-12-31}'),
             ('{1999-12-01,2025-01-01}'), ('{2025-01-01,2100-02-01}'),
                 ('{-infinity,2025-01-01}'), ('{2025-01-01,infinity}')) v (p);
select lives_ok(
    format('select tests.report(%L, %L, %L)', 'nord', p[1], p[2]),
    'BR-28 but a month is: ' || p::text)
from (values ('{2025-03-01,2025-04-01}'::text[]), ('{2000-01-01,2100-01-01}')) v (p);
select throws_ok(
    $$ select tests.report(p_start => null) $$,
    '22023', 'organisation, period_start and period_end are needed',
    'BR-22 so is no start');
select throws_ok(
    $$ select tests.report(p_organization => null) $$,
    '22023', 'organisation, period_start and period_end are needed',
    'BR-22 and no organisation');
select throws_ok(
    $$ select tests.report(p_mapping => 7) $$,
    '22023', 'there is no mapping of this version',
    'BR-23 and a mapping that does not exist');
select throws_ok(
    $$ select tests.report(p_mapping => 9) $$,
    '22023', 'there is no mapping of this version',
    'BR-23 or is another organisation''s');

-- ---------------------------------------------------------------- the kill switch

select tests.act_as_owner();
update public.organization_settings
set statistics_enabled = false
where organization_id = tests.id('nord');
select tests.act_as('nord/kari');
select throws_ok(
    $$ select tests.report() $$,
    'PT423', 'the statistics of this organisation are switched off',
    'BR-24 switched off');
select tests.act_as('sor/siri');
select lives_ok($$ select tests.report('sor') $$, 'BR-24 for one organisation alone');
select tests.act_as_owner();
update public.organization_settings set statistics_enabled = true
    where organization_id = tests.id('nord');
select tests.act_as('nord/anne');
select is(
    tests.figures(tests.report() -> 'totals'),
    '4 / 2.52 h / 1 persons / 8 present',
    'BR-25 and on again, as before');

-- ---------------------------------------------------------------- nothing raw

select tests.act_as_owner();
select is_empty($$ select p.oid::regprocedure from pg_proc p
    where p.pronamespace = 'stats'::regnamespace
                   and p.proname in ('bufdir_report', 'report_source', 'snapshot_status',
                       'alignment_figures',
                                     'computed_metric_snapshot', 'save_metric_snapshot',
                                         'metric_snapshot', 'saved_report')
                   and (has_function_privilege('authenticated', p.oid,
                       'execute') or has_function_privilege('service_role', p.oid, 'execute')
                        or has_function_privilege('anon', p.oid, 'execute')) $$,
                            'BR-26 nobody calls what the checks stand before');
select is_empty($$ select p.oid::regprocedure from pg_proc p
    where p.proname in ('generate_bufdir_report', 'compute_metric_snapshot', 'get_snapshot_status',
                       'export_bufdir_snapshot', 'get_bufdir_alignment', 'get_metric_snapshot',
                           'save_metric_snapshot', 'renew_metric_snapshot')
                           and has_function_privilege('anon', p.oid, 'execute') $$,
                           'BR-27 nor anon any of them');

select * from finish();
rollback;
