-- WU: which summaries are computed before anybody asks, and how reads are counted.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(31);
select tests.settle_hierarchy();
-- the settings of the seed's organisations are of no interest here
update public.organization_settings
set warm_up_enabled = false
where organization_id not in (tests.id('nord'), tests.id('sor'));

-- ---------------------------------------------------------------- counting reads

select is(
    public.record_node_reads(jsonb_build_object(tests.id('nord/A'), 3, tests.id('nord/B'), 1)),
    2,
    'WU-01 a batch of counted reads');
select is((select sum(reads) from public.hierarchy_node_access), 4::double precision,
    'WU-01 is added up');
select is(public.record_node_reads(jsonb_build_object(tests.id('nord/A'), 2)), 1,
    'WU-02 the next one');
select is(
    (select reads from public.hierarchy_node_access where unit_id = tests.id('nord/A')),
    5::double precision,
    'WU-02 on top of it');
update public.hierarchy_node_access
set last_read_at = now() - interval '1 day'
where unit_id = tests.id('nord/A');
select public.record_node_reads(jsonb_build_object(tests.id('nord/A'), 1));
select is(
    (select round(reads::numeric, 6)
     from public.hierarchy_node_access
     where unit_id = tests.id('nord/A')),
    3.5,
    'WU-03 after a day earlier reads are worth half');
select is(
    (select last_read_at from public.hierarchy_node_access where unit_id = tests.id('nord/A')),
    now(),
    'WU-03 counted from now');
select is(round(stats.decayed_reads(8, '2026-01-01Z', at)::numeric, 6), worth,
    format('WU-04 eight reads on 1 January are worth %s at %s', worth, at))
from (values ('2026-01-01Z'::timestamptz, 8.0), ('2026-01-01 12:00Z', 5.656854),
             ('2026-01-04Z', 1.0)) d (at, worth);
select is(public.record_node_reads(jsonb_build_object(tests.id('nowhere'), 5)), 0,
    'WU-05 reads of a unit that is gone are forgotten');
select is(public.record_node_reads('{}'), 0, 'WU-05 and none is none');

-- ---------------------------------------------------------------- warming up

-- An entry that a later drain has marked, or one that nothing has outdated.
create function tests.cache(p_unit text, p_outdated boolean, p_year integer default 2026)
    returns void language sql as $$
    insert into public.hierarchy_stats_cache
        (unit_id, period_year, payload, computed_at, computed_at_mark)
    values (tests.id(p_unit), p_year, '{"from": "before"}', '2026-05-01Z',
            stats.current_mark(tests.id(p_unit), p_year) - p_outdated::integer)
    on conflict (unit_id, period_year) do update
        set payload = excluded.payload,
            computed_at = excluded.computed_at,
            computed_at_mark = excluded.computed_at_mark
$$;
create function tests.warmed() returns setof text language sql as $$
    select tests.unit_name(e.unit_id) || ' ' || e.period_year
    from public.hierarchy_stats_cache e
    where e.payload ? 'activity_count'
$$;
create function tests.is_read(p_unit text, p_reads double precision, p_at timestamptz default now())
    returns void language sql as $$
    insert into public.hierarchy_node_access (unit_id, reads, last_read_at)
    values (tests.id(p_unit), p_reads, p_at)
    on conflict (unit_id) do update
        set reads = excluded.reads, last_read_at = excluded.last_read_at
$$;
create function tests.settle_cache() returns void language sql as $$
    delete from public.hierarchy_stats_cache where true;
    delete from public.hierarchy_node_access where true;
$$;
create function tests.result(p_warmed integer, p_skipped integer) returns jsonb language sql as $$
    select jsonb_build_object('warmed', p_warmed, 'skipped', p_skipped)
$$;

select tests.settle_cache();
select is(public.warm_hierarchy_cache(), tests.result(0, 0),
    'WU-06 what nobody reads is not computed');
select tests.cache('nord/A', true), tests.cache('nord/B', false), tests.cache('nord/C', true);
select tests.is_read('nord/A', 5), tests.is_read('nord/B', 9), tests.is_read('nord/D', 7);
select is(public.warm_hierarchy_cache(), tests.result(1, 0),
    'WU-07 computed is what is read and outdated');
select set_eq($$ select tests.warmed() $$, array['nord/A 2026'],
    'WU-07 not what is fresh, not what nobody reads, not what was never asked for');
select ok(computed_at > now(), 'WU-07 as of now')
from public.hierarchy_stats_cache
where unit_id = tests.id('nord/A');

select tests.settle_cache();
update public.organization_settings set warm_up_limit = 2 where organization_id = tests.id('nord');
select tests.cache('nord/A', true), tests.cache('nord/A', true, 2025), tests.cache('nord/B', true),
       tests.cache('nord/C', true), tests.cache('sor/S', true);
select tests.is_read('nord/A', 5), tests.is_read('nord/B', 9), tests.is_read('nord/C', 7),
       tests.is_read('sor/S', 1);
select is(public.warm_hierarchy_cache(tests.id('nord')), tests.result(2, 0),
    'WU-08 of one organisation its most read units, as many as it has decided');
select set_eq($$ select tests.warmed() $$, array['nord/B 2026', 'nord/C 2026'],
    'WU-08 and these are they');
select tests.is_read('nord/B', 0), tests.is_read('nord/C', 0);
select is(public.warm_hierarchy_cache(tests.id('nord')), tests.result(2, 0),
    'WU-09 of a unit each year that was asked for');
select set_eq(
    $$ select tests.warmed() $$,
    array['nord/A 2025', 'nord/A 2026', 'nord/B 2026', 'nord/C 2026'],
    'WU-09 and these are they');
select is(public.warm_hierarchy_cache(), tests.result(1, 0),
    'WU-10 without an organisation, all of them');
select ok('sor/S 2026' in (select tests.warmed()), 'WU-10 the other one, too');

select tests.settle_cache();
update public.organization_settings set warm_up_limit = 1 where organization_id = tests.id('nord');
select tests.cache('nord/A', true), tests.cache('nord/B', true);
select tests.is_read('nord/A', 100, now() - interval '5 days'), tests.is_read('nord/B', 4);
select public.warm_hierarchy_cache();
select set_eq($$ select tests.warmed() $$, array['nord/B 2026'],
    'WU-11 last week''s favourite has faded');

-- ---------------------------------------------------------------- bounds and switches

select tests.settle_cache();
update public.organization_settings set warm_up_limit = 10 where organization_id = tests.id('nord');
select tests.cache('nord/A', true), tests.cache('nord/B', true), tests.cache('nord/C', false),
       tests.is_read('nord/A', 1), tests.is_read('nord/B', 1), tests.is_read('nord/C', 1);
select is(public.warm_hierarchy_cache(p_seconds => 0), tests.result(0, 2),
    'WU-12 when the time is over the rest is skipped, and counted');
select is_empty($$ select tests.warmed() $$, 'WU-12 and not computed');
update public.organization_settings set warm_up_limit = 0 where organization_id = tests.id('nord');
select is(public.warm_hierarchy_cache(), tests.result(0, 0), 'WU-13 a limit of nought is none');
update public.organization_settings
set warm_up_limit = 10, warm_up_enabled = false
where organization_id = tests.id('nord');
select is(public.warm_hierarchy_cache(), tests.result(0, 0),
    'WU-14 an organisation that has switched it off is left alone');
select is(public.warm_hierarchy_cache(tests.id('nord')), tests.result(0, 0),
    'WU-14 also when it is named');
select is(
    (select warm_up_enabled
     from public.organization_settings
     where organization_id = tests.id('nord')),
    false,
    'WU-14 and stays so');
update public.organization_settings
set warm_up_enabled = true, statistics_enabled = false
where organization_id = tests.id('nord');
select is(public.warm_hierarchy_cache(), tests.result(0, 0),
    'WU-15 as is one whose statistics are off');
update public.organization_settings
set statistics_enabled = true
where organization_id = tests.id('nord');
select is(public.warm_hierarchy_cache(), tests.result(2, 0),
    'WU-16 switched on again it is warmed up');
select tests.act_as_role('service_role');
select lives_ok($$ select public.warm_hierarchy_cache(), public.record_node_reads('{}') $$,
    'WU-17 by the service role');

select * from finish();
rollback;
