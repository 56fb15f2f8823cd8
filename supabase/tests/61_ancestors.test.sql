-- AN: the way up the tree, also where the tree is damaged.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(19);

create function tests.ancestors(p_unit text) returns setof text language sql as
    $$ select tests.unit_name(a) from public.get_ancestor_ids(tests.id(p_unit)) a $$;
grant execute on function tests.ancestors(text) to public;

select results_eq(
    $$ select * from tests.ancestors('nord/leaf') $$,
    array['nord/inner', 'nord/east', 'nord/region', 'nord/root'],
    'AN-01 in a tree of five levels a leaf has four ancestors, nearest first');
select results_eq($$ select * from tests.ancestors('nord/A') $$, array['nord/region', 'nord/root'],
    'AN-02 a chapter below a region has two');
select is_empty($$ select * from tests.ancestors('nord/root') $$, 'AN-03 the root has none');
select is_empty($$ select * from tests.ancestors('nord/nowhere') $$,
    'AN-04 nor has a unit that does not exist');

-- ---------------------------------------------------------------- who may ask

select tests.act_as('nord/ola');
select results_eq(
    $$ select * from public.get_ancestor_ids(tests.id('nord/A')) $$,
    array[tests.id('nord/region'), tests.id('nord/root')],
    'AN-05 every member may ask');
select tests.act_as('sor/sol');
select results_eq(
    $$ select * from public.get_ancestor_ids(tests.id('sor/S')) $$,
    array[tests.id('sor/root')],
    'AN-06 about their own organisation');
select is_empty($$ select * from public.get_ancestor_ids(tests.id('nord/A')) $$,
    'AN-06 and no other');
select tests.act_as_role('anon');
select throws_ok(
    $$ select * from public.get_ancestor_ids(tests.id('nord/A')) $$,
    '42501', 'permission denied for function get_ancestor_ids',
    'AN-07 anon may not');
select tests.act_as_role('service_role');
select is((select count(*) from public.get_ancestor_ids(tests.id('nord/leaf'))), 4::bigint,
    'AN-08 the service role may');
select tests.act_as_owner();

-- ---------------------------------------------------------------- a damaged tree

select throws_ok(
    $$ update public.organization_units
       set parent_id = tests.id('nord/inner')
       where id = tests.id('nord/region') $$,
    '23514',
    format('organization unit %s: a unit stands above one of a higher kind',
        tests.id('nord/region')),
    'AN-09 the tree refuses a cycle');
set local statement_timeout = '5s';   -- a walk that does not end fails here
-- that it warns, tests/resilience/test_hierarchy_tree_changes.py sees
set local client_min_messages = 'error';
alter table public.organization_units disable trigger user;
update public.organization_units
set parent_id = tests.id('nord/inner')
where id = tests.id('nord/region');   -- region → inner → east → region
alter table public.organization_units enable trigger user;
select results_eq(
    $$ select * from tests.ancestors('nord/leaf') $$,
    array['nord/inner', 'nord/east', 'nord/region'],
    'AN-10 where a unit''s ancestors form a cycle, each is named once');
select results_eq(
    $$ select * from tests.ancestors('nord/east') $$,
    array['nord/region', 'nord/inner'],
    'AN-11 a unit in the cycle is not its own ancestor');
select results_eq($$ select * from tests.ancestors('nord/W') $$, array['nord/west', 'nord/root'],
    'AN-12 outside it all is as before');

select tests.settle_hierarchy();
select tests.add_activity('nord/ola', 'nord/leaf');
select lives_ok($$ select public.take_unit_changes() $$, 'AN-13 a drain ends');
select set_eq(
    $$ select * from tests.marks() $$,
    array['nord/leaf 2026', 'nord/inner 2026', 'nord/east 2026', 'nord/region 2026'],
    'AN-13 and has marked what it reached');
select isnt(stats.hierarchy_summary(tests.id('nord/region'), 2026), null, 'AN-14 a summary ends');
select is((select count(*) from stats.hierarchy_summaries(tests.id('nord'), 2026)), 14::bigint,
    'AN-14 and so do those of the organisation');
select lives_ok($$ select stats.is_outdated(e) from public.hierarchy_stats_cache e $$,
    'AN-15 and so does the look whether an entry is outdated');

alter table public.organization_units disable trigger user;
update public.organization_units set parent_id = id where id = tests.id('nord/west');
alter table public.organization_units enable trigger user;
select is_empty($$ select * from tests.ancestors('nord/west') $$,
    'AN-16 a unit that is its own parent has no ancestors');

select * from finish();
rollback;
