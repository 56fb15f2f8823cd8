-- HA: who reads which summary, and what the others are told.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(42);
select tests.settle_hierarchy();
select tests.add_activity('nord/ola', 'nord/A'), tests.add_activity('nord/cato', 'nord/C');

create function tests.reads(p_unit text, p_year integer default 2026)
    returns text language sql as $$
    select public.read_hierarchy_stats(tests.id(p_unit), p_year) -> 'payload' ->> 'activity_count'
$$;
create function tests.gets(p_unit text, p_year integer default 2026) returns text language sql as
    $$ select public.get_hierarchy_stats(tests.id(p_unit), p_year) ->> 'activity_count' $$;
grant execute on all functions in schema tests to public;
create function tests.is_refused(p_person text, p_unit text, p_test text)
    returns setof text language plpgsql as $$
begin
    perform tests.act_as(p_person);
    return next throws_ok(
        format('select tests.reads(%L)', p_unit),
        '42501', 'no such unit among those you follow up',
        p_test || ' (cached)');
    return next throws_ok(
        format('select tests.gets(%L)', p_unit),
        '42501', 'no such unit among those you follow up',
        p_test || ' (computed)');
    perform tests.act_as_owner();
end $$;
create function tests.is_answered(p_person text, p_unit text, p_count text, p_test text)
    returns setof text language plpgsql as $$
begin
    perform tests.act_as(p_person);
    return next is(tests.reads(p_unit), p_count, p_test || ' (cached)');
    return next is(tests.gets(p_unit), p_count, p_test || ' (computed)');
    perform tests.act_as_owner();
end $$;

select tests.is_answered('nord/anne', 'nord/root', '2',
    'HA-01 an org admin reads the whole organisation');
select tests.is_answered('nord/anne', 'nord/region', '2', 'HA-02 any unit of it');
select tests.is_answered('nord/anne', 'nord/C', '1', 'HA-03 any chapter');
select tests.is_refused('nord/anne', 'sor/root', 'HA-04 but no other organisation');
select tests.is_refused('nord/anne', 'nord/nowhere',
    'HA-05 and what does not exist is refused alike');
select tests.is_answered('nord/kari', 'nord/A', '1', 'HA-06 a coordinator reads their chapters');
select tests.is_answered('nord/kari', 'nord/B', '0', 'HA-06 each of them');
select tests.is_refused('nord/kari', 'nord/C', 'HA-07 but not another''s');
select tests.is_refused('nord/kari', 'nord/region', 'HA-08 nor the region');
select tests.is_refused('nord/kari', 'nord/root', 'HA-08 nor the whole');
select tests.is_refused('nord/ola', 'nord/A',
    'HA-09 a peer mentor reads none, not even of the chapter they work in');
select tests.is_refused('sor/siri', 'nord/A', 'HA-10 nobody reads another organisation');
select tests.is_refused('nord/ina', 'nord/A', 'HA-11 whoever is inactive reads nothing');
select tests.act_as('nord/anne', p_organization => 'sor');
select throws_ok(
    $$ select tests.reads('nord/A') $$,
    '42501', 'no such unit among those you follow up',
    'HA-12 nor does a token of another organisation');
select tests.act_as_role('anon');
select throws_ok(
    $$ select public.read_hierarchy_stats(tests.id('nord/A'), 2026) $$,
    '42501', 'permission denied for function read_hierarchy_stats',
    'HA-13 anon may not ask');
select throws_ok(
    $$ select public.get_hierarchy_stats(tests.id('nord/A'), 2026) $$,
    '42501', 'permission denied for function get_hierarchy_stats',
    'HA-13 nor have it computed');

-- ---------------------------------------------------------------- what is refused before that

select tests.act_as('nord/anne');
select throws_ok(
    format('select tests.reads(''nord/root'', %s)', coalesce(y::text, 'null')),
    '22023', 'the year must be between 2000 and 2099',
    'HA-14 there is no year ' || coalesce(y::text, 'null'))
from unnest('{0,1999,2100,null}'::integer[]) y;
select lives_ok(format('select tests.reads(''nord/root'', %s)', y), 'HA-14 there is a year ' || y)
from unnest('{2000,2099}'::integer[]) y;
select throws_ok(
    $$ select public.refresh_hierarchy_entry(tests.id('nord/A'), 2026) $$,
    '42501', 'permission denied for function refresh_hierarchy_entry',
    'HA-15 only the service role has it computed anew');
select throws_ok(
    $$ select public.record_node_reads('{}') $$,
    '42501', 'permission denied for function record_node_reads',
    'HA-15 or counts reads');
select throws_ok(
    $$ select public.warm_hierarchy_cache() $$,
    '42501', 'permission denied for function warm_hierarchy_cache',
    'HA-15 or warms up');

-- ---------------------------------------------------------------- the kill switch

select tests.act_as_owner();
update public.organization_settings
set statistics_enabled = false
where organization_id = tests.id('nord');
select tests.act_as('nord/anne');
select throws_ok(
    $$ select tests.reads('nord/root') $$,
    'PT423', 'the statistics of this organisation are switched off',
    'HA-16 switched off, it says so');
select throws_ok(
    $$ select tests.gets('nord/root') $$,
    'PT423', 'the statistics of this organisation are switched off',
    'HA-16 computed, too');
select tests.act_as('sor/siri');
select is(tests.reads('sor/root'), '0', 'HA-17 to that organisation alone');
select tests.act_as_role('service_role');
select is(public.refresh_hierarchy_entry(tests.id('nord/A'), 2026), true,
    'HA-18 the service role computes without asking who may see it');

select * from finish();
rollback;
