-- AC: who reads, registers, corrects and deletes activities.
begin;
\ir helpers.psql
select plan(56);

select tests.add_activity('nord/ola', 'nord/A', p_name => 'a');
select tests.add_activity('nord/ola', 'nord/A', p_name => 'a rejected', p_status => 'rejected');
select tests.add_activity('nord/liv', 'nord/B', p_name => 'b');
select tests.add_activity('nord/cato', 'nord/C', p_name => 'c');
select tests.add_activity('sor/sol', 'sor/S', p_name => 's');

create function tests.edit(p_name text) returns text language sql as $$
    select format('update public.activities set duration_minutes = 75 where id = %L returning id',
        tests.id(p_name));
$$;
create function tests.remove(p_name text) returns text language sql as $$
    select format('delete from public.activities where id = %L returning id', tests.id(p_name));
$$;
grant execute on function tests.edit(text), tests.remove(text) to public;

-- ---------------------------------------------------------------- reading

select tests.act_as('nord/ola');
select set_eq('select id from public.activities', array[tests.id('a'), tests.id('a rejected')],
    'AC-01 a peer mentor reads their own');
select tests.act_as('nord/liv');
select set_eq('select id from public.activities', array[tests.id('b')],
    'AC-02 and no one else''s in the same chapter');
select tests.act_as('nord/kari');
select set_eq(
    'select id from public.activities',
    array[tests.id('a'), tests.id('a rejected'), tests.id('b')],
    'AC-03 the coordinator of A and B reads A and B, not C');
select tests.act_as('nord/cora');
select set_eq('select id from public.activities', array[tests.id('c')], 'AC-04 that of C reads C');
select tests.act_as('nord/anne');
select set_eq(
    'select id from public.activities',
    array[tests.id('a'), tests.id('a rejected'), tests.id('b'), tests.id('c')],
    'AC-05 an org admin reads the organisation, and no other');
select tests.act_as('sor/siri');
select set_eq('select id from public.activities', array[tests.id('s')],
    'AC-06 as does that of another');
select tests.act_as('nord/ina');
select is_empty('select id from public.activities', 'AC-07 an inactive coordinator reads nothing');
select tests.act_as('nord/kari', p_organization => 'sor');
select is_empty('select id from public.activities',
    'AC-08 nor does a token of another organisation');
select tests.act_as_role('anon');
select throws_ok(
    'select id from public.activities',
    '42501', 'permission denied for table activities',
    'AC-09 anon is refused');

-- ---------------------------------------------------------------- registering

select tests.act_as('nord/ola');
select lives_ok($$ select tests.add_activity(p_name => 'new') $$,
    'AC-10 a peer mentor registers in their chapter');
select is(
    (select coordinator_id from public.activities where id = tests.id('new')),
    tests.id('nord/kari'),
    'AC-11 and the chapter''s active coordinator follows it up');
select lives_ok(
    $$ insert into public.activities (unit_id, activity_type_id, occurred_at, duration_minutes)
       values (tests.id('nord/A'), tests.id('nord/talk'), '2026-03-01Z', 30) $$,
    'AC-12 organisation, peer mentor and registrar come from the token');
select throws_ok(
    $$ select tests.add_activity(p_unit => 'nord/B') $$,
    '42501', 'new row violates row-level security policy for table "activities"',
    'AC-13 a chapter one does not work in is refused');
select throws_ok(
    $$ select tests.add_activity('nord/liv', p_by => 'nord/ola') $$,
    '42501', 'new row violates row-level security policy for table "activities"',
    'AC-14 so is a peer mentor''s proxy registration');
select throws_ok(
    $$ select tests.add_activity('nord/liv') $$,
    '42501', 'new row violates row-level security policy for table "activities"',
    'AC-15 so is registering in someone else''s name');
select throws_ok(
    $$ insert into public.activities
           (unit_id, peer_mentor_id, activity_type_id, occurred_at, duration_minutes)
       values (tests.id('nord/A'), tests.id('nord/liv'), tests.id('nord/talk'), '2026-03-01Z',
               30) $$,
    '23514',
    'new row for relation "activities" violates check constraint "activities_proxy_is_named"',
    'AC-16 a proxy registration must be called one');
select throws_ok(
    $$ insert into public.activities
           (organization_id, unit_id, activity_type_id, occurred_at, duration_minutes)
       values (tests.id('sor'), tests.id('sor/S'), tests.id('sor/talk'), '2026-03-01Z', 30) $$,
    '42501', 'new row violates row-level security policy for table "activities"',
    'AC-17 another organisation is refused');
select throws_ok(
    $$ insert into public.activities
           (unit_id, activity_type_id, occurred_at, duration_minutes, recorded_at)
       values (tests.id('nord/A'), tests.id('nord/talk'), '2026-03-01Z', 30, '2020-01-01Z') $$,
    '42501', 'permission denied for table activities',
    'AC-18 when it was recorded is not for the app to say');

select tests.act_as('nord/kari');
select lives_ok($$ select tests.add_activity('nord/ola', p_by => 'nord/kari', p_name => 'proxy') $$,
    'AC-19 a coordinator registers by proxy in their chapter');
select results_eq(
    $$ select is_proxy_registered, registered_by
       from public.activities
       where id = tests.id('proxy') $$,
    $$ values (true, tests.id('nord/kari')) $$,
    'AC-19 and is named');
select lives_ok($$ select tests.add_activity('nord/kari') $$, 'AC-20 and for themselves');
select throws_ok(
    $$ select tests.add_activity('nord/cato', 'nord/C', p_by => 'nord/kari') $$,
    '42501', 'new row violates row-level security policy for table "activities"',
    'AC-21 a chapter of someone else''s is refused');
select throws_ok(
    $$ select tests.add_activity('nord/ola', p_by => 'nord/anne') $$,
    '42501', 'new row violates row-level security policy for table "activities"',
    'AC-22 so is naming another registrar');
select throws_ok(
    $$ select tests.add_activity('sor/sol', 'nord/A', p_by => 'nord/kari') $$,
    '23514', 'the peer mentor is not active in the chapter',
    'AC-23 so is a peer mentor of another organisation');
select throws_ok(
    $$ select tests.add_activity('nord/kari', p_type => 'sor/talk') $$,
    '23503',
    'insert or update on table "activities" violates foreign key constraint '
    '"activities_activity_type_fkey"',
    'AC-24 so is another organisation''s kind of activity');
select tests.act_as('nord/anne');
select lives_ok($$ select tests.add_activity('nord/cato', 'nord/C', p_by => 'nord/anne') $$,
    'AC-25 an org admin registers by proxy anywhere');
select tests.act_as('nord/ina');
select throws_ok(
    $$ select tests.add_activity('nord/ina') $$,
    '42501', 'new row violates row-level security policy for table "activities"',
    'AC-26 whoever is inactive registers nothing');
select tests.act_as_role('anon');
select throws_ok($$ insert into public.activities (unit_id) values (tests.id('nord/A')) $$, '42501',
    'permission denied for table activities', 'AC-27 nor does anon');

select tests.act_as('nord/ola');
select lives_ok($$ select tests.add_activity(p_at => '2026-03-20', p_minutes => 1440) $$,
    'AC-28 a day is possible');
select throws_ok(
    $$ select tests.add_activity(p_minutes => 1441) $$,
    '23514',
    'new row for relation "activities" violates check constraint '
    '"activities_duration_minutes_check"',
    'AC-28 more is a mistake');
select throws_ok(
    $$ select tests.add_activity(p_minutes => 0) $$,
    '23514',
    'new row for relation "activities" violates check constraint '
    '"activities_duration_minutes_check"',
    'AC-28 as is nothing');
select lives_ok($$ select tests.add_activity(p_at => '2000-01-01Z') $$,
    'AC-29 this century is possible');
select throws_ok(
    $$ select tests.add_activity(p_at => '1999-12-31 23:59:59Z') $$,
    '23514',
    'new row for relation "activities" violates check constraint "activities_activity_date_check"',
    'AC-29 another is a mistake');

-- ---------------------------------------------------------------- correcting

select isnt_empty(tests.edit('a'), 'AC-30 a peer mentor corrects their own');
select is_empty(tests.edit('b'), 'AC-31 not someone else''s');
select is_empty(tests.edit('a rejected'), 'AC-32 nor what was rejected');
select isnt_empty(
    $$ update public.activities set status = 'draft' where id = tests.id('a') returning id $$,
    'AC-33 makes it a draft');
select throws_ok(
    $$ update public.activities set status = 'rejected' where id = tests.id('a') $$,
    '42501', 'new row violates row-level security policy for table "activities"',
    'AC-33 but rejects nothing');
select throws_ok(
    $$ update public.activities set unit_id = tests.id('nord/B') where id = tests.id('a') $$,
    '42501', 'new row violates row-level security policy for table "activities"',
    'AC-34 nor moves it where they do not work');
select throws_ok(
    $$ update public.activities
       set peer_mentor_id = tests.id('nord/liv')
       where id = tests.id('a') $$,
    '42501', 'whose an activity is, and who registered it, does not change',
    'AC-35 whose it is does not change');
select tests.act_as('nord/liv');
select isnt_empty(
    $$ update public.activities
       set unit_id = tests.id('nord/A')
       where id = tests.id('b')
       returning id $$,
    'AC-36 between one''s chapters it may be moved');

select tests.act_as('nord/kari');
select isnt_empty(tests.edit('a rejected'), 'AC-37 a coordinator corrects all of their chapters''');
select isnt_empty(
    $$ update public.activities
       set unit_id = tests.id('nord/B')
       where id = tests.id('b')
       returning id $$,
    'AC-38 moves between them');
select throws_ok(
    $$ update public.activities set unit_id = tests.id('nord/C') where id = tests.id('b') $$,
    '42501', 'new row violates row-level security policy for table "activities"',
    'AC-39 not out of them');
select is_empty(tests.edit('c'), 'AC-40 and does not touch C');
select tests.act_as('nord/anne');
select isnt_empty(tests.edit('c'), 'AC-41 an org admin does');
select is_empty(tests.edit('s'), 'AC-42 but no other organisation');
select tests.act_as('nord/ina');
select is_empty(tests.edit('a'), 'AC-43 whoever is inactive corrects nothing');

-- ---------------------------------------------------------------- deleting

select is_empty(tests.remove('a'), 'AC-44 nor deletes');
select tests.act_as('nord/ola');
select is_empty(tests.remove('b'), 'AC-45 a peer mentor does not delete someone else''s');
select is_empty(tests.remove('a rejected'), 'AC-46 nor what was rejected');
select isnt_empty(tests.remove('a'), 'AC-47 but their own');
select tests.act_as('nord/kari');
select is_empty(tests.remove('c'), 'AC-48 a coordinator does not delete in C');
select isnt_empty(tests.remove('b'), 'AC-49 but in B');
select tests.act_as('sor/siri');
select is_empty(tests.remove('c'), 'AC-50 nobody deletes another organisation''s');
select tests.act_as_role('anon');
select throws_ok(tests.remove('c'), '42501', 'permission denied for table activities',
    'AC-51 anon is refused');

select * from finish();
rollback;
