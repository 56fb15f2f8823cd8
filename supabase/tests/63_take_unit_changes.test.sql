-- TK: draining the log: what is marked, what is not, and that nothing else changes.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(39);
select tests.settle_hierarchy();

create function tests.drain() returns jsonb language sql as $$
    select public.take_unit_changes() - 'more'
$$;
create function tests.drained(p_units integer, p_invalidated integer, p_organizations text[])
    returns jsonb language sql as $$
    select jsonb_build_object(
        'units', p_units,
        'invalidated', p_invalidated,
        'organization_ids', (
            select coalesce(jsonb_agg(tests.id(o)), '[]') from unnest(p_organizations) o))
$$;

-- ---------------------------------------------------------------- a leaf

select is(tests.drain(), tests.drained(0, 0, '{}'), 'TK-01 of nothing nothing comes');
select tests.add_activity('nord/ola', 'nord/leaf');
select is(tests.drain(), tests.drained(1, 5, '{nord}'),
    'TK-02 a change in a leaf is one unit and five entries of one organisation');
select set_eq(
    $$ select * from tests.marks() $$,
    array[
        'nord/leaf 2026', 'nord/inner 2026', 'nord/east 2026', 'nord/region 2026',
        'nord/root 2026'],
    'TK-03 marked are the leaf and exactly its ancestors, in its year');
select is_empty($$ select * from stats.unit_changes $$, 'TK-04 nothing is pending any more');
select is_empty($$ select from public.hierarchy_stats_cache $$,
    'TK-05 though nothing is cached: a computation under way must find the mark');
select is(tests.drain(), tests.drained(0, 0, '{}'), 'TK-06 a second drain finds nothing');
select set_eq($$ select distinct marks from stats.marks $$, array[1::bigint],
    'TK-06 and marks nothing');
select tests.add_activity('nord/ola', 'nord/leaf');
select lives_ok($$ select tests.drain() $$, 'TK-07 the same unit again is no error');
select set_eq($$ select distinct marks from stats.marks $$, array[2::bigint], 'TK-07 it counts on');
select ok((select bool_and(invalidated_at > now()) from stats.marks), 'TK-08 and says since when');

-- ---------------------------------------------------------------- several

delete from stats.marks where true;
select tests.add_activity('nord/ola', 'nord/A'), tests.add_activity('nord/ola', 'nord/B'),
       tests.add_activity('nord/ola', 'nord/A', '2025-02-01Z');
select is(tests.drain(), tests.drained(2, 7, '{nord}'),
    'TK-09 ancestors that changes share are marked once, a year');
select set_eq(
    $$ select * from tests.marks() $$,
    array[
        'nord/A 2026', 'nord/B 2026', 'nord/region 2026', 'nord/root 2026', 'nord/A 2025',
        'nord/region 2025', 'nord/root 2025'],
    'TK-09 each in the years of its changes');
delete from stats.marks where true;
select tests.add_activity('nord/ola', 'nord/A'), tests.add_activity('sor/sol', 'sor/S');
select is(public.take_unit_changes() -> 'invalidated', '5',
    'TK-10 one drain serves every organisation');
select set_eq(
    $$ select * from tests.marks() $$,
    array['nord/A 2026', 'nord/region 2026', 'nord/root 2026', 'sor/S 2026', 'sor/root 2026'],
    'TK-10 each in its own tree');

-- ---------------------------------------------------------------- the tree changes

delete from stats.marks where true;
update public.organization_units
set parent_id = tests.id('nord/west')
where id = tests.id('nord/east');
select is(tests.drain(), tests.drained(2, 3, '{nord}'),
    'TK-11 a move concerns the old and the new parent');
select set_eq(
    $$ select * from tests.marks() $$,
    array['nord/region 0', 'nord/west 0', 'nord/root 0'],
    'TK-11 and all above them, in every year');
delete from stats.marks where true;
select tests.add_activity('nord/ola', 'nord/leaf');
select tests.drain();
select set_eq(
    $$ select * from tests.marks() $$,
    array[
        'nord/leaf 2026', 'nord/inner 2026', 'nord/east 2026', 'nord/west 2026', 'nord/root 2026'],
    'TK-12 from then on the new ancestors');
delete from stats.marks where true;
select tests.add_activity('nord/ola', 'nord/W', p_name => 'last');
delete from public.activities where id = tests.id('last');
delete from public.organization_units where id = tests.id('nord/W');
select is(tests.drain() -> 'invalidated', '2', 'TK-13 a unit that is gone by now stops no drain');
select set_eq($$ select * from tests.marks() $$, array['nord/west 0', 'nord/root 0'],
    'TK-13 and what stood above it is marked');

-- ---------------------------------------------------------------- what is cached stays

insert into public.hierarchy_stats_cache
    (unit_id, period_year, payload, computed_at, computed_at_mark)
select tests.id(unit), year, '{"activity_count": 7}', '2026-05-01Z',
       stats.current_mark(tests.id(unit), year)
from (values ('nord/A', 2026), ('nord/A', 2025), ('nord/B', 2026)) e (unit, year);
create function tests.outdated() returns setof text language sql as $$
    select tests.unit_name(e.unit_id) || ' ' || e.period_year
    from public.hierarchy_stats_cache e
    where stats.is_outdated(e)
$$;
select is_empty('select tests.outdated()', 'TK-14 (three summaries are fresh)');
select tests.add_activity('nord/ola', 'nord/A');
select set_eq('select tests.outdated()', array['nord/A 2026'],
    'TK-15 a change outdates one of them at once');
select tests.drain();
select set_eq('select tests.outdated()', array['nord/A 2026'],
    'TK-15 and so it stays when it is folded');
select set_eq(
    $$ select payload, computed_at from public.hierarchy_stats_cache $$,
    $$ values ('{"activity_count": 7}'::jsonb, '2026-05-01Z'::timestamptz) $$,
    'TK-16 with its figures, to be served as stale');
update public.organization_units
set parent_id = tests.id('nord/west')
where id = tests.id('nord/G');
select tests.drain();
select is_empty($$ select * from stats.tree_changes $$,
    'TK-17 what outdates every year leaves its log');

-- ---------------------------------------------------------------- a rebuild

select stats.rebuild(array[tests.id('nord/B')]);
select set_eq('select tests.outdated()', array['nord/A 2026', 'nord/B 2026'],
    'TK-18 a rebuild outdates the summaries of its chapters');
delete from stats.marks where true;
select tests.drain();
select set_eq($$ select * from tests.marks() $$, array['nord/B 0', 'nord/region 0', 'nord/root 0'],
    'TK-18 and of those above them, in every year');

-- ---------------------------------------------------------------- wake-ups

select nextval('stats.fold_asked_at');
select is(public.acknowledge_wake_ups(), 1,
    'TK-19 an invalidation begins by acknowledging the wake-up');
select is(public.acknowledge_wake_ups(), 0, 'TK-19 twice does no harm');
select is(nextval('stats.fold_asked_at'), 0::bigint,
    'TK-19 and the next writer is the first again');
select is(public.take_unit_changes() -> 'more', 'false', 'TK-25 nobody is in flight');

-- ---------------------------------------------------------------- who may

select tests.act_as('nord/anne');
select throws_ok(
    $$ select public.take_unit_changes() $$,
    '42501', 'permission denied for function take_unit_changes',
    'TK-20 an org admin may not drain');
select throws_ok(
    $$ select public.acknowledge_wake_ups() $$,
    '42501', 'permission denied for function acknowledge_wake_ups',
    'TK-20 nor acknowledge');
select throws_ok(
    $$ select public.request_invalidation_again() $$,
    '42501', 'permission denied for function request_invalidation_again',
    'TK-20 nor send');
select throws_ok(
    $$ select * from public.hierarchy_stats_cache $$,
    '42501', 'permission denied for table hierarchy_stats_cache',
    'TK-21 nor read the cache itself');
select throws_ok(
    $$ update public.hierarchy_stats_cache set payload = null where true $$,
    '42501', 'permission denied for table hierarchy_stats_cache',
    'TK-21 nor write it');
select tests.act_as_role('anon');
select throws_ok(
    $$ select public.take_unit_changes() $$,
    '42501', 'permission denied for function take_unit_changes',
    'TK-22 anon may not');
select tests.act_as_role('service_role');
select lives_ok(
    $$ select public.acknowledge_wake_ups(), public.take_unit_changes(),
              public.request_invalidation_again() $$,
    'TK-23 the service role may');
select isnt_empty($$ select * from public.hierarchy_stats_cache $$, 'TK-24 and it reads the cache');
select throws_ok(
    $$ delete from public.hierarchy_stats_cache where true $$,
    '42501', 'permission denied for table hierarchy_stats_cache',
    'TK-24 but does not write it');

select * from finish();
rollback;
