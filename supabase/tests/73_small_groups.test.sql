-- SG: groups of fewer than five people are hidden from who may not see the rows they are made of.
begin;
\ir helpers.psql
select plan(33);
select tests.settle();

create function tests.group(p_code text, p_activities bigint, p_contacts bigint, p_present bigint)
    returns jsonb language sql as $$
    select jsonb_build_object('bufdir_category_code', p_code, 'activity_count', p_activities,
                              'total_hours', p_activities::numeric,
                              'distinct_participants', p_contacts,
                              'participant_count', p_present)
$$;
-- Of a report with these categories, one without anybody ('-'), and totals: what is shown of it.
create function tests.shown(p_groups jsonb[], p_totals jsonb) returns text language sql as $$
    select string_agg(c ->> 'bufdir_category_code', '' order by o)
           || case when h #> '{totals,activity_count}' = 'null' then '' else '+' end
    from (select app.hide_small_groups(jsonb_build_object(
              'categories', jsonb_build_array(tests.group('-', 0, 0, 0)) || to_jsonb(p_groups),
              'uncategorised', '[]'::jsonb, 'regions', '[]'::jsonb, 'totals', p_totals)) as h) r
    cross join lateral jsonb_array_elements(h -> 'categories') with ordinality e (c, o)
    where c -> 'activity_count' <> 'null'
    group by h
$$;
create function tests.many() returns jsonb language sql as
    $$ select tests.group('T', 100, 50, 200) $$;
grant execute on all functions in schema tests to public;

-- ---------------------------------------------------------------- how small

select is(tests.shown(array[tests.group('A', 9, n, 9)], tests.many()),
          case when n between 1 and 4 then '-+' else '-A+' end, format('SG-01 %s contacts', n))
from unnest('{0,1,2,3,4,5,6}'::int[]) n;
select is(tests.shown(array[tests.group('A', 1, 0, n)], tests.many()),
          case when n between 1 and 4 then '-+' else '-A+' end,
          format('SG-02 no contact and %s present', n))
from unnest('{0,1,4,5}'::int[]) n;
select is(tests.shown(array[tests.group('A', 10, 1, 10)], tests.many()), '-+',
    'SG-03 ten meetings with one person are one person');
select is(tests.shown(array[tests.group('A', 10, 1, 50)], tests.many()), '-A+',
    'SG-03 where five were present at some, there are five');
select is(tests.shown(array[tests.group('A', 10, 1, 41)], tests.many()), '-A+',
    'SG-03 41 at ten cannot be four at each');
select is(tests.shown(array[tests.group('A', 10, 1, 40)], tests.many()), '-+', 'SG-03 but 40 can');

-- ---------------------------------------------------------------- nor as what the others leave

select is(tests.shown(array[tests.group('A', 9, 20, 20), tests.group('B', 9, 2, 2),
                            tests.group('C', 9, 9, 9)], tests.many()), '-A+',
    'SG-04 with one of two people, the next smallest is hidden as well');
select is(tests.shown(array[tests.group('A', 9, 3, 3), tests.group('B', 9, 2, 2),
                            tests.group('C', 9, 9, 9)], tests.many()), '-C+',
    'SG-04 two of five together hide each other');
select is(tests.shown(array[tests.group('A', 9, 1, 1), tests.group('B', 9, 2, 2),
                            tests.group('C', 9, 9, 9), tests.group('D', 9, 9, 9)],
                      tests.many()), '-D+',
    'SG-04 two of three together do not');
select is(tests.shown(array[tests.group('A', 9, 4, 4)], tests.group('T', 9, 4, 4)), '-',
    'SG-05 totals of so few are hidden themselves');
select is(tests.shown('{}', tests.group('T', 0, 0, 0)), '-+', 'SG-05 nobody is no small group');

-- ---------------------------------------------------------------- uncategorised, regions

select is((select h - 'categories' from app.hide_small_groups(jsonb_build_object(
              'categories', jsonb_build_array(tests.group('A', 9, 9, 9)),
              'uncategorised', jsonb_build_array(tests.group('x', 2, 2, 2)),
              'regions', jsonb_build_array(tests.group('n', 3, 3, 3), tests.group('s', 8, 8, 8)),
              'totals', tests.group('T', 11, 11, 11))) h),
    jsonb_build_object(
        'uncategorised', jsonb_build_array(tests.group('x', null, null, null)),
        'regions', jsonb_build_array(tests.group('n', null, null, null),
                                     tests.group('s', null, null, null)),
        'totals', tests.group('T', 11, 11, 11)),
    'SG-06 lists of their own, each in its place');

-- ---------------------------------------------------------------- from whom

insert into public.bufdir_category_mappings
    (mapping_version, activity_type_id, bufdir_category_code)
values (1, tests.id('nord/talk'), 'INDIVIDUAL'), (1, tests.id('nord/visit'), 'VISIT');
select tests.publish(1);
select tests.add_activity(p_name => 'a' || n, p_minutes => 30) from generate_series(1, 6) n;
select tests.add_activity('nord/cato', 'nord/C', p_name => 'c' || n, p_type => 'nord/visit')
from generate_series(1, 2) n;
update public.activities set contact_id = gen_random_uuid()
where organization_id = tests.id('nord');
create function tests.told(p_report jsonb) returns text language sql as $$
    select string_agg(coalesce(c ->> 'distinct_participants', '?'), ' '
                      order by c ->> 'bufdir_category_code')
           || ' of ' || (p_report #>> '{totals,distinct_participants}')
    from jsonb_array_elements(p_report -> 'categories') c
$$;
create function tests.ways() returns setof text language sql as $$
    select tests.told(public.generate_bufdir_report(tests.id('nord'), '2026-01-01', '2027-01-01'))
    union all
    select tests.told(public.compute_metric_snapshot('2026-01-01', '2027-01-01') -> 'snapshot_json')
    union all
    select tests.told(public.save_metric_snapshot('2026-01-01', '2027-01-01') -> 'snapshot_json')
    union all select tests.told(public.get_bufdir_alignment(2026) -> 'report')
$$;
create function tests.later_ways() returns setof text language sql as $$
    select tests.told(public.get_metric_snapshot('2026-01-01', '2027-01-01') -> 'snapshot_json')
    union all
    select tests.told(public.export_bufdir_snapshot('2026-01-01', '2027-01-01') -> 'snapshot')
$$;
create function tests.kept_apart() returns bigint language sql as $$
    select count(*) from stats.complete_reports c
    join public.bufdir_metric_snapshots b on b.id = c.snapshot_id
    where b.organization_id = tests.id('nord')
$$;
grant execute on all functions in schema tests to public;
select tests.act_as('nord/kari');
select results_eq('select tests.ways()', array['? ? of 8', '? ? of 8', '? ? of 8', '? ? of 8'],
    'SG-07 a coordinator is not told of two people in another chapter, by whatever way');
select results_eq('select tests.later_ways()', array['? ? of 8', '? ? of 8'],
    'SG-07 nor of what is saved');
select is(
    public.get_bufdir_alignment(2026) #>> '{dashboard,activity_time_series,activity_count}', '8',
    'SG-08 beside totals that are shown, the dashboard''s are');
select tests.act_as('nord/anne');
select results_eq('select tests.later_ways()', array['6 2 of 8', '6 2 of 8'],
    'SG-09 an org admin is told everything, also of what a coordinator saved');
select results_eq('select tests.ways()', array['6 2 of 8', '6 2 of 8', '6 2 of 8', '6 2 of 8'],
    'SG-09 by whatever way');
select tests.act_as('nord/ola');
select is(tests.told(public.get_metric_snapshot('2026-01-01', '2027-01-01') -> 'snapshot_json'),
    '? ? of 8',
    'SG-10 a peer mentor reads what was saved, and not that');
select is((select tests.told(snapshot_json) from public.bufdir_metric_snapshots), '? ? of 8',
    'SG-10 nor in the table');
select tests.act_as_owner();
select is(tests.kept_apart(), 1::bigint,
    'SG-11 the figures are kept apart');
delete from public.activities where unit_id = tests.id('nord/C');
select tests.act_as('nord/anne');
select is(tests.told(public.save_metric_snapshot('2026-01-01', '2027-01-01') -> 'snapshot_json'),
    '6 of 6',
    'SG-11 while there is something to keep');
select tests.act_as_owner();
select is(tests.kept_apart(), 0::bigint,
    'SG-11 and no longer');
delete from public.activities where id in (tests.id('a1'), tests.id('a2'), tests.id('a3'));
select tests.act_as('nord/kari');
select is(public.get_bufdir_alignment(2026) -> 'dashboard',
    '{"hierarchy": null, "activity_time_series": null}',
    'SG-12 beside totals that are hidden, so are the dashboard''s');
select tests.act_as('nord/anne');
select is(
    public.get_bufdir_alignment(2026) #>> '{dashboard,activity_time_series,activity_count}', '3',
    'SG-12 from a coordinator');

select * from finish();
rollback;
