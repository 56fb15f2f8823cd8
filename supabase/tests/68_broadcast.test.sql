-- BC: what listening apps are told, and who may listen.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(20);
select tests.settle_hierarchy();
create temporary table before on commit drop as select id from realtime.messages;
grant select on before to public;
create function tests.messages() returns setof realtime.messages language sql as $$
    select * from realtime.messages m where m.id not in (select id from before)
$$;
create function tests.heard_in(p_topic text) returns bigint language plpgsql as $$
begin
    perform set_config('realtime.topic', p_topic, true);   -- as the server does when somebody joins
    return (select count(*) from tests.messages());
end $$;
create function tests.channel(p_organization text) returns text language sql as $$
    select 'activities:org:' || tests.id(p_organization)
$$;
grant execute on all functions in schema tests to public;

-- ---------------------------------------------------------------- what is said

select tests.add_activity('nord/ola', 'nord/leaf'),
       tests.add_activity('nord/ola', 'nord/leaf', '2026-03-12Z'),
       tests.add_activity('sor/sol', 'sor/S', '2025-05-05Z');
select is_empty($$ select from tests.messages() $$, 'BC-01 before the drain nothing is said');
select public.take_unit_changes();
select results_eq(
    $$ select topic, event, private, extension from tests.messages() order by topic $$,
    $$ select tests.channel(o), 'cache_invalidated', true, 'broadcast'
       from unnest('{nord,sor}'::text[]) o
       order by 1 $$,
    'BC-02 a drain speaks once to each organisation, on its private channel');
select set_eq(
    $$ select jsonb_object_keys(payload) from tests.messages() $$,
    array['unit_ids', 'dates', 'id'],
    'BC-03 of units and dates, and nothing else (id is the message''s own)');
select set_eq(
    $$ select jsonb_array_elements_text(payload -> 'unit_ids')::uuid
       from tests.messages()
       where topic = tests.channel('nord') $$,
    array[
        tests.id('nord/leaf'), tests.id('nord/inner'), tests.id('nord/east'),
        tests.id('nord/region'), tests.id('nord/root')],
    'BC-04 every unit that was marked');
select is(
    (select payload -> 'dates' from tests.messages() where topic = tests.channel('nord')),
    '["2026-03-10", "2026-03-12"]',
    'BC-05 the days of the changes');
select is(
    (select payload -> 'dates' from tests.messages() where topic = tests.channel('sor')),
    '["2025-05-05"]',
    'BC-05 each organisation''s own');
insert into before select id from tests.messages();
select public.take_unit_changes();
select is_empty($$ select from tests.messages() $$,
    'BC-06 a drain that finds nothing says nothing');
update public.organization_units
set parent_id = tests.id('nord/west')
where id = tests.id('nord/east');
select public.take_unit_changes();
select is((select payload -> 'dates' from tests.messages()), '[]', 'BC-07 a move has no date');
select is((select jsonb_array_length(payload -> 'unit_ids') from tests.messages()), 3,
    'BC-07 but units');

-- ---------------------------------------------------------------- who listens

select tests.act_as('nord/anne');
select is(tests.heard_in(tests.channel('nord')), 1::bigint,
    'BC-08 an org admin listens to the organisation');
select tests.act_as('nord/ola');
select is(tests.heard_in(tests.channel('nord')), 1::bigint, 'BC-08 and so does every member');
select is(tests.heard_in(tests.channel('sor')), 0::bigint, 'BC-09 but to no other');
select is(tests.heard_in('activities:org:'), 0::bigint,
    'BC-09 nor to a channel of no organisation');
select is(tests.heard_in('activities:org:%'), 0::bigint, 'BC-09 nor to one of all');
select tests.act_as('sor/siri');
select is(tests.heard_in(tests.channel('nord')), 0::bigint,
    'BC-10 nor does another organisation listen here');
select tests.act_as('nord/ina');
select is(tests.heard_in(tests.channel('nord')), 0::bigint, 'BC-11 nor whoever is inactive');
select tests.act_as_role('anon');
select is(tests.heard_in(tests.channel('nord')), 0::bigint, 'BC-12 nor anybody without a token');

-- ---------------------------------------------------------------- who speaks

select tests.act_as('nord/anne');
select tests.heard_in(tests.channel('nord'));
select throws_ok(
    $$ insert into realtime.messages (topic, extension, event, payload, private)
       values (tests.channel('nord'), 'broadcast', 'cache_invalidated', '{}', true) $$,
    '42501', 'new row violates row-level security policy for table "messages"',
    'BC-13 only the database speaks: no app does');
select throws_ok(
    $$ select private.broadcast_invalidation(tests.id('nord'), '{}', '{}') $$,
    '42501', 'permission denied for schema private',
    'BC-13 nor through the database''s own door');
select tests.act_as_owner();
select lives_ok($$ select private.broadcast_invalidation(tests.id('nord'), '{}', '{}') $$,
    'BC-14 which its owner uses');

select * from finish();
rollback;
