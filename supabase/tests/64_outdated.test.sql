-- OD: the rule that tells whether a cached summary is outdated, as a table of cases.
--
-- An entry of 'nord/region' for 2026, computed when the unit had seven marks: three of every year
-- and four of 2026.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(39);
select tests.settle_hierarchy();

insert into stats.marks (unit_id, period_year, marks)
select tests.id('nord/region'), year, marks
from (values (0, 3), (2026, 4), (2025, 9)) m (year, marks);
create function tests.entry(p_unit text) returns public.hierarchy_stats_cache language sql as $$
    select tests.id(p_unit), 2026, '{}'::jsonb, now(),
           case p_unit when 'nord/region' then 7 else 0 end::bigint
$$;
-- Is it outdated by one change in the log?
create function tests.outdated_by_change(p_unit text, p_on date, p_entry text default 'nord/region')
    returns boolean language plpgsql as $$
begin
    perform tests.forget_unit_changes();
    insert into stats.activity_changes
        (organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date,
         activity_count, total_minutes)
    select tests.organization(p_unit), tests.id(p_unit), tests.id('nord/ola'),
           tests.id('nord/talk'), p_on, 1, 60
    where p_on is not null;
    insert into stats.tree_changes (organization_id, unit_id)
    select tests.organization(p_unit), tests.id(p_unit)
    where p_on is null;
    return stats.is_outdated(tests.entry(p_entry));
end $$;
-- And by one more mark?
create function tests.outdated_by_mark(p_unit text, p_year integer)
    returns boolean language plpgsql as $$
declare
    v_outdated boolean;
begin
    insert into stats.marks as m (unit_id, period_year) values (tests.id(p_unit), p_year)
    on conflict (unit_id, period_year) do update set marks = m.marks + 1;
    v_outdated := stats.is_outdated(tests.entry('nord/region'));
    update stats.marks set marks = marks - 1
    where unit_id = tests.id(p_unit) and period_year = p_year;
    return v_outdated;
end $$;

select is(stats.is_outdated(tests.entry('nord/region')), false,
    'OD-01 without change and mark it is not outdated');

-- ---------------------------------------------------------------- where

select is(tests.outdated_by_change(unit, '2026-03-10'), outdated, 'OD-03 a change in ' || unit)
from (values ('nord/region', true), ('nord/A', true), ('nord/east', true), ('nord/leaf', true),
             ('nord/root', false), ('nord/west', false), ('nord/W', false),
             ('sor/S', false)) c (unit, outdated);
select is(tests.outdated_by_change('nord/W', '2026-03-10', p_entry => 'nord/root'), true,
    'OD-04 to the root everything in its organisation matters');
select is(tests.outdated_by_change('sor/S', '2026-03-10', p_entry => 'nord/root'), false,
    'OD-04 and nothing in another');
select is(tests.outdated_by_change('nord/region', '2026-03-10', p_entry => 'nord/A'), false,
    'OD-05 to a leaf only itself');
select is(tests.outdated_by_change('nord/A', '2026-03-10', p_entry => 'nord/A'), true,
    'OD-05 matters');

-- ---------------------------------------------------------------- which year

select is(tests.outdated_by_change('nord/A', day), outdated,
    'OD-06 a change of ' || coalesce(day::text, 'every year'))
from (values ('2026-01-01'::date, true), ('2026-12-31', true), ('2025-12-31', false),
             ('2027-01-01', false), (null, true)) c (day, outdated);

-- ---------------------------------------------------------------- marks, where the log is folded

select tests.forget_unit_changes();
select is(tests.outdated_by_mark(unit, year), outdated,
    format('OD-07 a mark of %s in %s', unit, year))
from (values ('nord/region', 2026, true), ('nord/region', 0, true), ('nord/region', 2025, false),
             ('nord/region', 2027, false), ('nord/A', 2026, false),
             ('nord/root', 2026, false)) c (unit, year, outdated);
select is(stats.is_outdated(tests.entry('nord/region')), false, 'OD-08 (none is left)');
select is(stats.is_outdated(tests.entry('nord/A')), false,
    'OD-08 a unit that was never marked has no marks to compare');

-- ---------------------------------------------------------------- storing

create function tests.stores(p_mark bigint) returns integer language sql as $$
    select stats.store_hierarchy_entries(array[
        row(tests.id('nord/region'), 2026, jsonb_build_object('at', p_mark), now(), p_mark)
            ::public.hierarchy_stats_cache])
$$;
create function tests.stored() returns table (at text, is_outdated boolean) language sql as $$
    select payload ->> 'at', stats.is_outdated(e)
    from public.hierarchy_stats_cache e
    where unit_id = tests.id('nord/region')
      and period_year = 2026
$$;
select is(tests.stores(7), 1, 'OD-09 a computation is stored');
select results_eq($$ select * from tests.stored() $$, $$ values ('7', false) $$, 'OD-09 and fresh');
select tests.add_activity('nord/ola', 'nord/A');
select results_eq($$ select * from tests.stored() $$, $$ values ('7', true) $$,
    'OD-10 until something changes');
select stats.fold();
select results_eq($$ select * from tests.stored() $$, $$ values ('7', true) $$,
    'OD-10 which a fold does not hide');
select is(tests.stores(7), 1, 'OD-11 a computation that began before it is stored');
select results_eq($$ select * from tests.stored() $$, $$ values ('7', true) $$,
    'OD-11 and as outdated as it is');
select is(stats.compute_hierarchy_entry(tests.id('nord/region'), 2026), true,
    'OD-12 one that begins now');
select results_eq(
    $$ select computed_at_mark, stats.is_outdated(e)
       from public.hierarchy_stats_cache e
       where unit_id = tests.id('nord/region') $$,
    $$ values (8::bigint, false) $$,
    'OD-12 is fresh');

select is(tests.stores(7), 0, 'OD-13 and is not replaced by an older one');
select results_eq(
    $$ select computed_at_mark, stats.is_outdated(e)
       from public.hierarchy_stats_cache e
       where unit_id = tests.id('nord/region') $$,
    $$ values (8::bigint, false) $$,
    'OD-13 (it is as it was)');
delete from stats.marks where true;
select results_eq(
    $$ select stats.is_outdated(e)
       from public.hierarchy_stats_cache e
       where unit_id = tests.id('nord/region') $$,
    array[true],
    'OD-14 where the marks were lost, nothing is known of it');
select is(stats.compute_hierarchy_entry(tests.id('nord/region'), 2026), true,
    'OD-14 a computation');
select results_eq(
    $$ select computed_at_mark, stats.is_outdated(e)
       from public.hierarchy_stats_cache e
       where unit_id = tests.id('nord/region') $$,
    $$ values (0::bigint, false) $$,
    'OD-14 replaces it');

select * from finish();
rollback;
