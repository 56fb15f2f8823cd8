-- TK: draining the log: what is marked, what is not, and that nothing else changes.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(46);
select tests.settle_hierarchy();

create function tests.drain() returns jsonb language sql as $$ select public.take_unit_changes() - 'more' $$;
create function tests.drained(p_units integer, p_invalidated integer, p_organizations text[]) returns jsonb language sql as $$
    select jsonb_build_object('units', p_units, 'invalidated', p_invalidated,
                              'organization_ids', (select coalesce(jsonb_agg(tests.id(o)), '[]') from unnest(p_organizations) o)) $$;

-- ---------------------------------------------------------------- a leaf

select is(tests.drain(), tests.drained(0, 0, '{}'), 'TK-01 of nothing nothing comes');
select tests.add_activity('nord/ola', 'nord/leaf');
select is(tests.drain(), tests.drained(1, 5, '{nord}'), 'TK-02 a change in a leaf is one unit and five entries of one organisation');
select set_eq($$ select * from tests.marks() $$, array['nord/leaf 2026', 'nord/inner 2026', 'nord/east 2026', 'nord/region 2026', 'nord/root 2026'],
    'TK-03 marked are the leaf and exactly its ancestors, in its year');
select is_empty($$ select * from stats.unit_changes $$, 'TK-04 nothing is pending any more');
select is((select count(*) from public.hierarchy_stats_cache where payload is null and computed_at is null and source_position is null), 5::bigint,
    'TK-05 units without a summary have a mark all the same: a computation under way must find it');
create temporary table before on commit drop as select * from public.hierarchy_stats_cache;
select is(tests.drain(), tests.drained(0, 0, '{}'), 'TK-06 a second drain finds nothing');
select results_eq($$ select e::text from public.hierarchy_stats_cache e order by unit_id $$, $$ select b::text from before b order by unit_id $$, 'TK-06 and changes nothing');
select tests.add_activity('nord/ola', 'nord/leaf');
select lives_ok($$ select tests.drain() $$, 'TK-07 the same unit again is no error');
select results_eq($$ select unit_id, period_year, invalidated_xid, payload, source_position::text from public.hierarchy_stats_cache order by unit_id $$,
    $$ select unit_id, period_year, invalidated_xid, payload, source_position::text from before order by unit_id $$, 'TK-07 and leads to the same state');
select ok((select bool_and(e.invalidated_at > b.invalidated_at) from public.hierarchy_stats_cache e join before b using (unit_id, period_year)), 'TK-07 but for the time');
select is((select bool_and(e.invalidated_xid = pg_current_xact_id()) from public.hierarchy_stats_cache e), true, 'TK-08 a mark names the drain''s transaction');

-- ---------------------------------------------------------------- several

delete from public.hierarchy_stats_cache where true;
select tests.add_activity('nord/ola', 'nord/A'), tests.add_activity('nord/ola', 'nord/B'), tests.add_activity('nord/ola', 'nord/A', '2025-02-01Z');
select is(tests.drain(), tests.drained(2, 7, '{nord}'), 'TK-09 ancestors that changes share are marked once, a year');
select set_eq($$ select * from tests.marks() $$,
    array['nord/A 2026', 'nord/B 2026', 'nord/region 2026', 'nord/root 2026', 'nord/A 2025', 'nord/region 2025', 'nord/root 2025'], 'TK-09 each in the years of its changes');
delete from public.hierarchy_stats_cache where true;
select tests.add_activity('nord/ola', 'nord/A'), tests.add_activity('sor/sol', 'sor/S');
select is(public.take_unit_changes() -> 'invalidated', '5', 'TK-10 one drain serves every organisation');
select set_eq($$ select * from tests.marks() $$, array['nord/A 2026', 'nord/region 2026', 'nord/root 2026', 'sor/S 2026', 'sor/root 2026'], 'TK-10 each in its own tree');

-- ---------------------------------------------------------------- the tree changes

delete from public.hierarchy_stats_cache where true;
update public.organization_units set parent_id = tests.id('nord/west') where id = tests.id('nord/east');
select is(tests.drain(), tests.drained(2, 3, '{nord}'), 'TK-11 a move concerns the old and the new parent');
select set_eq($$ select * from tests.marks() $$, array['nord/region 0', 'nord/west 0', 'nord/root 0'], 'TK-11 and all above them, in every year');
delete from public.hierarchy_stats_cache where true;
select tests.add_activity('nord/ola', 'nord/leaf');
select tests.drain();
select set_eq($$ select * from tests.marks() $$, array['nord/leaf 2026', 'nord/inner 2026', 'nord/east 2026', 'nord/west 2026', 'nord/root 2026'], 'TK-12 from then on the new ancestors');
delete from public.hierarchy_stats_cache where true;
select tests.add_activity('nord/ola', 'nord/W', p_name => 'last');
delete from public.activities where id = tests.id('last');
delete from public.organization_units where id = tests.id('nord/W');
select is(tests.drain() -> 'invalidated', '2', 'TK-13 a unit that is gone by now stops no drain');
select set_eq($$ select * from tests.marks() $$, array['nord/west 0', 'nord/root 0'], 'TK-13 and what stood above it is marked');

-- ---------------------------------------------------------------- what is cached stays

delete from public.hierarchy_stats_cache where true;
insert into public.hierarchy_stats_cache (unit_id, period_year, payload, computed_at, source_position, source_xid)
values (tests.id('nord/A'), 2026, '{"activity_count": 7}', '2026-05-01Z', '100:100:', '90'), (tests.id('nord/A'), 2025, '{}', '2026-05-01Z', '100:100:', '90'),
       (tests.id('nord/B'), 2026, '{}', '2026-05-01Z', '100:100:', '90');
select tests.add_activity('nord/ola', 'nord/A');
select tests.drain();
select results_eq($$ select payload, computed_at, source_position::text, source_xid, invalidated_xid = pg_current_xact_id(), invalidated_at > now() from public.hierarchy_stats_cache
                     where unit_id = tests.id('nord/A') and period_year = 2026 $$,
    $$ values ('{"activity_count": 7}'::jsonb, '2026-05-01Z'::timestamptz, '100:100:', '90'::xid8, true, true) $$,
    'TK-14 a mark leaves the summary as it is, to be served as stale');
select is((select count(*) from public.hierarchy_stats_cache where invalidated_xid is null), 2::bigint, 'TK-15 another year and another unit are not marked');

-- ---------------------------------------------------------------- the change log is kept until it is drained

select stats.refresh(p_force := true);
select tests.add_activity('nord/ola', 'nord/A');
select is(stats.refresh(p_force := true) -> 'applied_changes', '1', 'TK-16 a refresh takes up a change');
select results_eq($$ select tests.unit_name(unit_id), changed_on from stats.unit_changes $$, $$ values ('nord/A', '2026-03-10'::date) $$, 'TK-16 but does not prune what is not drained');
select is(stats.refresh(p_force := false) ->> 'outcome', 'nothing_pending', 'TK-16 but no statistic lacks it');
select is(tests.drain() -> 'units', '1', 'TK-17 a drain takes it');
select stats.refresh(p_force := true);
select is_empty($$ select * from stats.activity_changes $$, 'TK-17 and then it may go');
update public.organization_units set parent_id = tests.id('nord/west') where id = tests.id('nord/G');
select tests.drain();
select is_empty($$ select * from stats.tree_changes $$, 'TK-17 what outdates every year goes at once');

-- ---------------------------------------------------------------- a rebuild

delete from public.hierarchy_stats_cache where true;
insert into public.hierarchy_stats_cache (unit_id, period_year, payload, computed_at, source_position, source_xid)
values (tests.id('nord/A'), 2026, '{}', now(), pg_current_snapshot(), '90');
create function tests.is_outdated() returns boolean language sql as $$ select stats.is_outdated(e) from public.hierarchy_stats_cache e where payload is not null $$;
select is(tests.is_outdated(), false, 'TK-18 (a summary is fresh)');
select stats.rebuild();
select is(tests.is_outdated(), true, 'TK-18 after a rebuild nobody knows what the cache contains: it is outdated');
select set_eq($$ select unit_id, changed_on from stats.unit_changes $$, $$ select id, null::date from public.organization_units $$, 'TK-18 as every summary is');
select is(stats.sweep_unit_changes(), true, 'TK-18 of which the sweep takes care');
select is(tests.drain() -> 'invalidated', (select to_jsonb(count(*)) from public.organization_units), 'TK-18 a drain marks them all');
select is_empty($$ select * from stats.unit_changes $$, 'TK-18 and from then on it is known');

-- ---------------------------------------------------------------- wake-ups

insert into stats.wake_ups (organization_id) values (tests.id('nord')), (tests.id('sor'));
select is(public.acknowledge_wake_ups(), 2, 'TK-19 an invalidation begins by acknowledging the wake-ups');
select is_empty($$ select * from stats.wake_ups $$, 'TK-19 so that the next writer sends one');
select is(public.acknowledge_wake_ups(), 0, 'TK-19 twice does no harm');

-- ---------------------------------------------------------------- who may

select tests.act_as('nord/anne');
select throws_ok($$ select public.take_unit_changes() $$, '42501', 'permission denied for function take_unit_changes', 'TK-20 an org admin may not drain');
select throws_ok($$ select public.acknowledge_wake_ups() $$, '42501', 'permission denied for function acknowledge_wake_ups', 'TK-20 nor acknowledge');
select throws_ok($$ select public.request_invalidation_again() $$, '42501', 'permission denied for function request_invalidation_again', 'TK-20 nor send');
select throws_ok($$ select * from public.hierarchy_stats_cache $$, '42501', 'permission denied for table hierarchy_stats_cache', 'TK-21 nor read the cache itself');
select throws_ok($$ update public.hierarchy_stats_cache set payload = null where true $$, '42501', 'permission denied for table hierarchy_stats_cache', 'TK-21 nor write it');
select tests.act_as_role('anon');
select throws_ok($$ select public.take_unit_changes() $$, '42501', 'permission denied for function take_unit_changes', 'TK-22 anon may not');
select tests.act_as_role('service_role');
select lives_ok($$ select public.acknowledge_wake_ups(), public.take_unit_changes(), public.request_invalidation_again() $$, 'TK-23 the service role may');
select isnt_empty($$ select * from public.hierarchy_stats_cache $$, 'TK-24 and it reads the cache');
select throws_ok($$ delete from public.hierarchy_stats_cache where true $$, '42501', 'permission denied for table hierarchy_stats_cache', 'TK-24 but does not write it');

select * from finish();
rollback;
