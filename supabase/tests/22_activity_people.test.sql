-- AW: who may be named in an activity, and where it may take place.
begin;
\ir helpers.psql
select plan(42);

create function tests.register(
    p_coordinator text, p_by text default 'nord/ola', p_mentor text default 'nord/ola',
    p_unit text default 'nord/A', p_at timestamptz default '2026-03-10 12:00Z')
    returns text language sql as $$
    select format(
        'insert into public.activities (organization_id, unit_id, peer_mentor_id, coordinator_id, '
        '    activity_type_id, occurred_at, duration_minutes, is_proxy_registered, registered_by) '
        'values (%L, %L, %L, %L, %L, %L, 60, %L, %L)',
        tests.id('nord'), tests.id(p_unit), tests.id(p_mentor), tests.id(p_coordinator),
        tests.id('nord/talk'), p_at, p_by <> p_mentor, tests.id(p_by))
$$;
create function tests.set(p_name text, p_assignment text, p_unit text default null)
    returns text language sql as $$
    select format(
        'update public.activities set ' || p_assignment || ' where id = %2$L returning id',
        tests.id(p_unit), tests.id(p_name))
$$;
create function tests.coordinator(p_name text) returns uuid language sql as $$
    select coordinator_id from public.activities where id = tests.id(p_name)
$$;
grant execute on all functions in schema tests to public;

select tests.add_activity('nord/ola', p_name => 'of ola'),
       tests.add_activity('nord/liv', p_name => 'of liv'),
       tests.add_activity('nord/cato', 'nord/C', p_name => 'in C');

-- ---------------------------------------------------------------- the coordinator

select tests.act_as('nord/ola');
select lives_ok(tests.register('nord/kari'), 'AW-01 the chapter''s coordinator may be named');
select throws_ok(
    tests.register('nord/cora'),
    '23514', 'the coordinator is no active coordinator of the chapter',
    'AW-02 not that of another chapter');
select throws_ok(
    tests.register('nord/ina'),
    '23514', 'the coordinator is no active coordinator of the chapter',
    'AW-02 nor one who is inactive');
select throws_ok(
    tests.register('nord/liv'),
    '23514', 'the coordinator is no active coordinator of the chapter',
    'AW-02 nor a peer mentor');
select throws_ok(
    tests.set('of ola', 'unit_id = unit_id, coordinator_id = %1$L', 'nord/cora'),
    '23514', 'the coordinator is no active coordinator of the chapter',
    'AW-03 nor in a correction');
select isnt_empty(tests.set('of ola', 'coordinator_id = %1$L', 'nord/kari'),
    'AW-03 where the chapter''s may');
select isnt_empty(tests.set('of ola', 'coordinator_id = null'),
    'AW-04 who names nobody');
select is(tests.coordinator('of ola'), tests.id('nord/kari'), 'AW-04 gets the chapter''s');
select tests.act_as('nord/kari');
select throws_ok(
    tests.register('nord/cora', 'nord/kari'),
    '23514', 'the coordinator is no active coordinator of the chapter',
    'AW-05 a coordinator names no other chapter''s either');
select tests.act_as('nord/anne');
select throws_ok(
    tests.register('nord/cora', 'nord/anne'),
    '23514', 'the coordinator is no active coordinator of the chapter',
    'AW-05 nor does an org admin');
select lives_ok(tests.register('nord/kari', 'nord/anne'), 'AW-05 who names the chapter''s');
select tests.act_as_role('service_role');
select throws_ok(
    tests.register('nord/cora'),
    '23514', 'the coordinator is no active coordinator of the chapter',
    'AW-06 nor does a service');
select lives_ok(tests.register('nord/kari'), 'AW-06 which names the chapter''s');
select tests.act_as_owner();
select lives_ok(tests.register('nord/cora'), 'AW-07 the owner brings what was true before');

-- ---------------------------------------------------------------- the peer mentor

select tests.act_as('nord/kari');
select lives_ok(tests.register('nord/kari', 'nord/kari'),
    'AW-08 a coordinator registers for who works in the chapter');
select throws_ok(
    tests.register('nord/kari', 'nord/kari', 'nord/cato'),
    '23514', 'the peer mentor is not active in the chapter',
    'AW-09 not for who works elsewhere');
select tests.act_as('nord/anne');
select throws_ok(
    tests.register('nord/kari', 'nord/anne', 'nord/cato'),
    '23514', 'the peer mentor is not active in the chapter',
    'AW-09 nor does an org admin');
select lives_ok(tests.register('nord/cora', 'nord/anne', 'nord/cato', 'nord/C'),
    'AW-09 but where they work');
select tests.act_as('nord/ola');
select throws_ok(
    tests.register('nord/kari', p_unit => 'nord/C'),
    '42501', 'new row violates row-level security policy for table "activities"',
    'AW-10 who may not write in a chapter is not told who works there');
select throws_ok(
    tests.register('nord/cora', p_unit => 'nord/C'),
    '42501', 'new row violates row-level security policy for table "activities"',
    'AW-10 whoever is named');

-- ---------------------------------------------------------------- moving

select tests.act_as('nord/kari');
select throws_ok(
    tests.set('of ola', 'unit_id = %1$L', 'nord/B'),
    '23514', 'the peer mentor is not active in the chapter',
    'AW-11 an activity moves where its peer mentor works');
select isnt_empty(tests.set('of liv', 'unit_id = %1$L', 'nord/B'), 'AW-11 as this one');
select tests.act_as_owner();
update public.activities set unit_id = tests.id('nord/A'), peer_mentor_id = tests.id('nord/ola'),
    registered_by = tests.id('nord/ola')
where id = tests.id('in C');
select is(tests.coordinator('in C'), tests.id('nord/kari'),
    'AW-12 it is followed up where it is now');

-- ---------------------------------------------------------------- who has left

update public.profiles set is_active = false where id = tests.id('nord/ola');
select tests.act_as('nord/kari');
select throws_ok(
    tests.register('nord/kari', 'nord/kari'),
    '23514', 'the peer mentor is not active in the chapter',
    'AW-13 for who has left nothing is registered');
select isnt_empty(tests.set('of ola', 'duration_minutes = 45'),
    'AW-14 what they registered can be corrected');
select isnt_empty(tests.set('of ola', 'occurred_at = ''2026-03-12 12:00Z'''),
    'AW-14 its day, too');
select isnt_empty(tests.set('of ola', 'status = ''rejected'''), 'AW-14 and rejected');

-- ---------------------------------------------------------------- a unit that is closed

select tests.act_as_owner();
update public.profiles set is_active = true where id = tests.id('nord/ola');
create temporary table before on commit drop as
    select count(*), sum(duration_minutes) from public.activities
    where unit_id = tests.id('nord/A') and is_counted;
update public.organization_units set closed_on = '2026-03-11' where id = tests.id('nord/A');
select results_eq(
    $$ select activity_count, total_minutes from stats.live_chapter_stats
       where chapter_id = tests.id('nord/A') $$,
    'select * from before',
    'AW-15 a chapter that is closed goes on counting');
select tests.act_as('nord/ola');
select lives_ok(tests.register('nord/kari', p_at => '2026-03-10 23:59Z'),
    'AW-16 what took place before may still be registered');
select throws_ok(
    tests.register('nord/kari', p_at => '2026-03-11 00:00Z'),
    '23514', 'the chapter was closed by then',
    'AW-16 not what took place since');
select tests.act_as('nord/kari');
select throws_ok(
    tests.set('in C', 'occurred_at = ''2026-03-11 00:00Z'''),
    '23514', 'the chapter was closed by then',
    'AW-17 nor is it moved there');
select isnt_empty(tests.set('in C', 'occurred_at = ''2026-03-09 12:00Z'''),
    'AW-17 only to before');
select isnt_empty(tests.set('of ola', 'duration_minutes = 30'),
    'AW-18 what was registered can be corrected');
select results_eq(
    $$ select closed_on from public.chapters where id = tests.id('nord/A') $$,
    $$ values (date '2026-03-11') $$,
    'AW-19 members see when it was closed');

-- ---------------------------------------------------------------- a unit keeps its kind

select tests.act_as('nord/anne');
select throws_ok(
    tests.register('nord/kari', 'nord/anne', p_unit => 'nord/region'),
    '23514', 'the unit is no chapter',
    'AW-20 activities take place in chapters');
select tests.act_as_owner();
delete from public.chapter_assignments where unit_id = tests.id('nord/A');
select throws_ok(
    $$ update public.organization_units set kind = 'district' where id = tests.id('nord/A') $$,
    '23514', format('unit %s has activities and keeps its kind', tests.id('nord/A')),
    'AW-21 a chapter with activities stays one');
delete from public.chapter_assignments where unit_id = tests.id('nord/C')
    and profile_id <> tests.id('nord/cora');
delete from public.activities where unit_id = tests.id('nord/C');
select throws_ok(
    $$ update public.organization_units set kind = 'district' where id = tests.id('nord/C') $$,
    '23514', format('unit %s has assignments and stays a chapter', tests.id('nord/C')),
    'AW-22 so does one that somebody works in');
delete from public.chapter_assignments where unit_id = tests.id('nord/C');
select lives_ok(
    $$ update public.organization_units set kind = 'district' where id = tests.id('nord/C') $$,
    'AW-23 one with neither may become a district');
select throws_ok(
    $$ insert into public.chapter_assignments (profile_id, unit_id, organization_id)
       values (tests.id('nord/cora'), tests.id('nord/C'), tests.id('nord')) $$,
    '23514', format('unit %s is not a chapter', tests.id('nord/C')),
    'AW-24 where nobody works');
select tests.add_activity('nord/ola', 'nord/C');   -- by the owner, from elsewhere
select throws_ok(
    $$ update public.organization_units set kind = 'local' where id = tests.id('nord/C') $$,
    '23514', format('unit %s has activities and keeps its kind', tests.id('nord/C')),
    'AW-25 whatever it is, with activities it stays so');
select tests.act_as('nord/anne');
select results_eq(
    $$ select sum(activity_count) from public.chapter_stats $$,
    $$ select count(*)::numeric from public.activities where is_counted $$,
    'AW-26 and nothing is left out of the organisation''s figures');
select is(
    (select sum(activity_count) from public.chapter_stats),
    (public.get_hierarchy_stats(tests.id('nord/root'), 2026) ->> 'activity_count')::numeric,
    'AW-26 nor of its summary');

select * from finish();
rollback;
