-- OD: the rule that tells whether a cached summary is outdated, as a table of cases.
--
-- An entry of 'nord/region' for 2026, computed by transaction 150 in a snapshot where everything before 140 and the
-- transactions 142 and 144 were complete, and 141, 143 and everything from 145 on were not.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(46);
select tests.settle_hierarchy();
-- no drain has taken anything yet, whatever its transaction
update stats.snapshot_positions set snapshot = '3:3:', own_xid = '3', own_change_id = null where relation_name = 'hierarchy_stats_cache';

create function tests.entry(p_unit text) returns public.hierarchy_stats_cache language sql as $$
    select tests.id(p_unit), 2026, '{}'::jsonb, now(), '141:145:141,143'::pg_snapshot, '150'::xid8, null::timestamptz, null::xid8 $$;
-- Is it outdated by one change in the log?
create function tests.outdated_by_change(p_xid text, p_unit text, p_on date, p_entry text default 'nord/region') returns boolean language plpgsql as $$
begin
    perform tests.forget_unit_changes();
    insert into stats.activity_changes (xid, organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, activity_count,
                                        total_minutes, participant_count, approved_nok)
    select p_xid::xid8, tests.organization(p_unit), tests.id(p_unit), tests.id('nord/ola'), tests.id('nord/talk'), p_on, 1, 60, 1, 0 where p_on is not null;
    insert into stats.tree_changes (xid, organization_id, unit_id) select p_xid::xid8, tests.organization(p_unit), tests.id(p_unit) where p_on is null;
    return stats.is_outdated(tests.entry(p_entry));
end $$;
-- And by one mark?
create function tests.outdated_by_mark(p_xid text, p_unit text, p_year integer) returns boolean language plpgsql as $$
begin
    perform tests.forget_unit_changes();
    delete from public.hierarchy_stats_cache where true;
    insert into public.hierarchy_stats_cache (unit_id, period_year, invalidated_at, invalidated_xid) values (tests.id(p_unit), p_year, now(), p_xid::xid8);
    return stats.is_outdated(tests.entry('nord/region'));
end $$;

select is(stats.is_outdated(tests.entry('nord/region')), false, 'OD-01 without change and mark it is not outdated');

-- ---------------------------------------------------------------- a change still in the log: when

select is(tests.outdated_by_change(xid, 'nord/A', '2026-03-10'), outdated, format('OD-02 a change by transaction %s, %s', xid, why))
from (values ('90', false, 'long before'), ('140', false, 'just before'), ('141', true, 'open then'), ('142', false, 'complete then'), ('143', true, 'open then'),
             ('144', false, 'the last complete'), ('145', true, 'the first not begun'), ('149', true, 'later'), ('150', true, 'the entry''s own'), ('900', true, 'much later')) c (xid, outdated, why);

-- ---------------------------------------------------------------- where

select is(tests.outdated_by_change('900', unit, '2026-03-10'), outdated, 'OD-03 a change in ' || unit)
from (values ('nord/region', true), ('nord/A', true), ('nord/east', true), ('nord/leaf', true), ('nord/root', false), ('nord/west', false), ('nord/W', false), ('sor/S', false)) c (unit, outdated);
select is(tests.outdated_by_change('900', 'nord/W', '2026-03-10', p_entry => 'nord/root'), true, 'OD-04 to the root everything in its organisation matters');
select is(tests.outdated_by_change('900', 'sor/S', '2026-03-10', p_entry => 'nord/root'), false, 'OD-04 and nothing in another');
select is(tests.outdated_by_change('900', 'nord/region', '2026-03-10', p_entry => 'nord/A'), false, 'OD-05 to a leaf only itself');
select is(tests.outdated_by_change('900', 'nord/A', '2026-03-10', p_entry => 'nord/A'), true, 'OD-05 matters');

-- ---------------------------------------------------------------- which year

select is(tests.outdated_by_change('900', 'nord/A', day), outdated, 'OD-06 a change of ' || coalesce(day::text, 'every year'))
from (values ('2026-01-01'::date, true), ('2026-12-31', true), ('2025-12-31', false), ('2027-01-01', false), (null, true)) c (day, outdated);

-- ---------------------------------------------------------------- marks, where the log is drained

select is(tests.outdated_by_mark(xid, unit, year), outdated, format('OD-07 a mark of %s in %s by drain %s', unit, year, xid))
from (values ('140', 'nord/region', 2026, false), ('143', 'nord/region', 2026, true), ('144', 'nord/region', 2026, false), ('150', 'nord/region', 2026, true),
             ('900', 'nord/region', 0, true), ('900', 'nord/region', 2025, false), ('900', 'nord/A', 2026, false), ('140', 'nord/region', 0, false)) c (xid, unit, year, outdated);

-- ---------------------------------------------------------------- another cluster's

select tests.forget_unit_changes();
delete from public.hierarchy_stats_cache where true;
insert into public.hierarchy_stats_cache (unit_id, period_year, payload, computed_at, source_position, source_xid)
values (tests.id('nord/region'), 2026, '{}', now(), '9000000000:9000000000:', '90'), (tests.id('nord/root'), 2026, '{}', now(), '100:100:', '90');
insert into public.hierarchy_stats_cache (unit_id, period_year, invalidated_at, invalidated_xid) values (tests.id('nord/A'), 2026, now(), '9000000000');
select results_eq($$ select tests.unit_name(e.unit_id), stats.is_outdated(e) from public.hierarchy_stats_cache e where payload is not null order by 1 $$,
    $$ values ('nord/region', true), ('nord/root', false) $$, 'OD-08 a snapshot from the future is another cluster''s: what it says means nothing here');
select is(stats.compute_hierarchy_entry(tests.id('nord/region'), 2026), true, 'OD-09 a computation');
select is((select pg_snapshot_xmax(source_position) <= pg_snapshot_xmax(pg_current_snapshot()) from public.hierarchy_stats_cache where unit_id = tests.id('nord/region')), true,
    'OD-09 replaces it');
update public.hierarchy_stats_cache set source_position = '9000000000:9000000000:' where unit_id = tests.id('nord/region');
select stats.sweep_unit_changes();
select set_eq($$ select tests.unit_name(unit_id) from public.hierarchy_stats_cache $$, array['nord/root'], 'OD-10 the sweep removes such entries and marks, and no other');

-- ---------------------------------------------------------------- storing

create function tests.stores(p_position text) returns integer language sql as $$
    select stats.store_hierarchy_entries(array[row(tests.id('nord/C'), 2026, jsonb_build_object('at', p_position), now(), p_position::pg_snapshot, '90'::xid8, null, null)::public.hierarchy_stats_cache]) $$;
create function tests.stored() returns text language sql as $$ select payload ->> 'at' from public.hierarchy_stats_cache where unit_id = tests.id('nord/C') and period_year = 2026 $$;
insert into public.hierarchy_stats_cache (unit_id, period_year, invalidated_at, invalidated_xid) values (tests.id('nord/C'), 2026, now(), '250');
select is(tests.stores('200:200:'), 1, 'OD-11 a mark is no entry: the first computation is stored');
select results_eq($$ select tests.stored(), invalidated_xid, invalidated_at is not null, stats.is_outdated(e) from public.hierarchy_stats_cache e where unit_id = tests.id('nord/C') $$,
    $$ values ('200:200:', '250'::xid8, true, true) $$, 'OD-12 but the mark set after it stays');
select is(tests.stores('199:199:'), 0, 'OD-13 an older computation does not replace a newer one');
select is(tests.stored(), '200:200:', 'OD-13 (it is as it was)');
select is(tests.stores('300:300:'), 1, 'OD-14 a newer one does');
select results_eq($$ select tests.stored(), invalidated_xid, invalidated_at is not null, stats.is_outdated(e) from public.hierarchy_stats_cache e where unit_id = tests.id('nord/C') $$,
    $$ values ('300:300:', '250'::xid8, false, false) $$, 'OD-14 and then the mark is older');

select * from finish();
rollback;
