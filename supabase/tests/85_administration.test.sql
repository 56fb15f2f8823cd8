-- AM: an org admin runs the organisation: units, people, assignments, types, rules, settings.
begin;
\ir helpers.psql
select plan(61);
insert into auth.users (id, email, raw_app_meta_data) values
    (tests.id('nord/nina'), 'nord@nina.test', jsonb_build_object('org_id', tests.id('nord'))),
    (tests.id('sor/sara'), 'sor@sara.test', jsonb_build_object('org_id', tests.id('sor')));

-- ---------------------------------------------------------------- units

select tests.act_as('nord/anne');
select lives_ok(
    $$ insert into public.organization_units (id, parent_id, kind, name)
       values (tests.id('nord/H'), tests.id('nord/region'), 'local', 'H') $$,
    'AM-01 an org admin makes a chapter');
select isnt_empty(
    $$ update public.organization_units set name = 'Hamar', closed_on = '2026-12-31'
       where id = tests.id('nord/H') returning id $$,
    'AM-02 renames and closes it');
select isnt_empty(
    $$ delete from public.organization_units where id = tests.id('nord/H') returning id $$,
    'AM-03 and removes it, since nothing ever happened there');
select throws_ok(
    $$ delete from public.organization_units where id = tests.id('nord/region') $$,
    '23503', 'update or delete on table "organization_units" violates foreign key constraint '
        '"organization_units_parent_fkey" on table "organization_units"',
    'AM-04 but not what others are below');
select is_empty(
    $$ update public.organization_units set name = 'Theirs' where id = tests.id('sor/S')
       returning id $$,
    'AM-05 nothing of another organisation');
select throws_ok(
    $$ insert into public.organization_units (parent_id, kind, name)
       values (tests.id('sor/root'), 'local', 'Theirs') $$,
    '23503', 'insert or update on table "organization_units" violates foreign key constraint '
        '"organization_units_parent_fkey"',
    'AM-05 nor anything below it');

-- ---------------------------------------------------------------- what reports and pages can show

select lives_ok(
    $$ update public.organization_units set name = rpad('12345', 200, 'x')
       where id = tests.id('nord/region') $$, 'AM-05a a name has up to 200 characters');
select tests.act_as_owner();
select ok(app.is_aggregate_only(to_jsonb(u.name), 'region_name'),
    'AM-05a and can stand in a report') from public.organization_units u
where u.id = tests.id('nord/region');
select tests.act_as('nord/anne');
select throws_ok(
    format('update public.organization_units set name = %L where id = tests.id(%L)',
           given.name, 'nord/region'),
    '23514', format('new row for relation "organization_units" violates check constraint "%s"',
                    given.refused), 'AM-05b what could not, is refused')
from (values (repeat('x', 201), 'organization_units_name_check'),
             (E' \n', 'organization_units_name_check'),
             ('Nord 123456', 'organization_units_region_has_no_number')) given (name, refused);
select throws_ok(
    $$ update public.organization_units set closed_on = 'infinity' where id = tests.id('nord/A') $$,
    '23514', 'new row for relation "organization_units" violates check constraint '
    '"organization_units_closed_on_check"', 'AM-05c a day is one of the calendar');
select throws_ok(
    $$ insert into public.counting_rules (activity_type_id, valid_from, source)
       values (tests.id('nord/talk'), '-infinity', 'rules') $$,
    '23514', 'new row for relation "counting_rules" violates check constraint '
    '"counting_rules_valid_from_check"', 'AM-05c of a rule, too');
select throws_ok(
    $$ update public.organization_settings set snapshot_max_age = '300000 years'
       where organization_id = tests.id('nord') $$,
    '23514', 'new row for relation "organization_settings" violates check constraint '
    '"organization_settings_snapshot_max_age_check"', 'AM-05d an age can be added to a day');
select lives_ok(
    $$ update public.organization_settings set snapshot_max_age = '10 years'
       where organization_id = tests.id('nord') $$, 'AM-05d and may be long');
select throws_ok(
    $$ update public.activity_types set label = repeat('x', 201)
       where id = tests.id('nord/talk') $$,
    '23514', 'new row for relation "activity_types" violates check constraint '
    '"activity_types_label_check"', 'AM-05e labels are as short');
select throws_ok(
    $$ insert into public.bufdir_thresholds
           (bufdir_category_code, minimum_activity_count, valid_from_year)
       values ('course', 90, 2026) $$,
    '23514', 'new row for relation "bufdir_thresholds" violates check constraint '
    '"bufdir_thresholds_bufdir_category_code_check"',
    'AM-05f a threshold is of a code that a mapping can have');
select tests.act_as('nord/kari');
select throws_ok(
    $$ insert into public.organization_units (parent_id, kind, name)
       values (tests.id('nord/region'), 'local', 'I') $$,
    '42501', 'new row violates row-level security policy for table "organization_units"',
    'AM-06 a coordinator makes none');
select is_empty(
    $$ update public.organization_units set name = 'x' where id = tests.id('nord/A')
       returning id $$,
    'AM-06 nor renames any');

-- ---------------------------------------------------------------- people

select throws_ok(
    $$ select public.save_person(tests.id('nord/kari'), 'Kari', 'org_admin', true) $$,
    '42501', 'only org admins manage people', 'AM-07 nobody else gives roles');
select is_empty($$ select * from public.get_sign_ins() $$, 'AM-07 or reads addresses');
select tests.act_as('nord/anne');
select is((select count(*) from public.get_sign_ins()), 8::bigint,
    'AM-08 an org admin reads those of the organisation, and of who was invited to it');
select lives_ok($$ select public.save_person(tests.id('nord/nina'), 'Nina', 'peer_mentor') $$,
    'AM-09 gives an invited sign-in its profile');
select is((select role || ' ' || display_name from public.profiles
           where id = tests.id('nord/nina')), 'peer_mentor Nina', 'AM-09 with role and name');
select throws_ok(
    $$ select public.save_person(tests.id('sor/sara'), 'Sara', 'peer_mentor') $$,
    'PT404', 'no such person or invited sign-in in the organisation',
    'AM-10 but not who was invited to another organisation');
select throws_ok(
    $$ select public.save_person(tests.id('sor/sol'), 'Sol', 'peer_mentor', false) $$,
    'PT404', 'no such person or invited sign-in in the organisation',
    'AM-10 nor who is of another');
select throws_ok(
    $$ select public.save_person(tests.id('nord/anne'), 'Anne', 'coordinator') $$,
    'PT409', 'the organisation would have no org admin', 'AM-11 one org admin always stays');
select lives_ok($$ select public.save_person(tests.id('nord/cora'), 'Cora', 'org_admin') $$,
    'AM-12 with another one');
select lives_ok($$ select public.save_person(tests.id('nord/anne'), 'Anne', 'coordinator') $$,
    'AM-12 the first may go');
select throws_ok(
    $$ select public.save_person(tests.id('nord/cora'), 'Cora', 'peer_mentor') $$,
    '42501', 'only org admins manage people', 'AM-13 and manages nobody any more');
select tests.act_as('nord/cora');
select throws_ok(
    $$ update public.profiles set role = 'org_admin' where id = tests.id('nord/anne') $$,
    '42501', 'permission denied for table profiles', 'AM-14 there is no other way to a role');

-- ---------------------------------------------------------------- assignments

select lives_ok(
    $$ insert into public.chapter_assignments (profile_id, unit_id, is_primary)
       values (tests.id('nord/nina'), tests.id('nord/B'), true) $$,
    'AM-15 an org admin assigns people');
select tests.act_as('nord/nina');
select is((select array_agg(c) from app.assigned_chapter_ids() c), array[tests.id('nord/B')],
    'AM-15 at once');
select tests.act_as('nord/cora');
select throws_ok(
    $$ insert into public.chapter_assignments (profile_id, unit_id)
       values (tests.id('sor/sol'), tests.id('nord/B')) $$,
    '23503', null, 'AM-16 of the organisation alone');
select throws_ok(
    $$ insert into public.chapter_assignments (profile_id, unit_id)
       select tests.id('nord/nina'), tests.id('nord/' || c) from unnest('{C,D,E,F,G}'::text[]) c $$,
    '23514', 'a profile of this organisation may be assigned to at most 5 chapters',
    'AM-17 within the limit');
select isnt_empty(
    $$ delete from public.chapter_assignments where profile_id = tests.id('nord/nina')
       returning unit_id $$,
    'AM-18 and takes assignments back');
select is_empty(
    $$ delete from public.chapter_assignments where profile_id = tests.id('sor/sol')
       returning unit_id $$,
    'AM-18 none of another organisation');

-- ---------------------------------------------------------------- types, categories, rules

select lives_ok(
    $$ insert into public.activity_types (id, code, label)
       values (tests.id('nord/group'), 'group', 'Group') $$, 'AM-19 an org admin makes types');
select isnt_empty(
    $$ update public.activity_types set label = 'Groups' where id = tests.id('nord/group')
       returning id $$, 'AM-19 and renames them');
select lives_ok(
    $$ insert into public.bufdir_category_mappings
       values (7, tests.id('nord/talk'), 'TALK'), (7, tests.id('nord/group'), 'GROUP') $$,
    'AM-20 writes the categories of a version to come');
select throws_ok(
    $$ insert into public.bufdir_category_mappings values (7, tests.id('sor/talk'), 'TALK') $$,
    '42501', 'new row violates row-level security policy for table "bufdir_category_mappings"',
    'AM-20 not of another''s types');
select throws_ok(
    $$ insert into public.bufdir_mapping_versions (mapping_version, valid_from_year)
       values (7, extract(year from now())::integer - 2) $$,
    '42501', 'new row violates row-level security policy for table "bufdir_mapping_versions"',
    'AM-21 no version is published for years long reported');
select lives_ok(
    $$ insert into public.bufdir_mapping_versions (mapping_version, valid_from_year)
       values (7, extract(year from now())::integer) $$,
    'AM-21 one is for this year');
select throws_ok(
    $$ insert into public.bufdir_category_mappings values (7, tests.id('nord/visit'), 'VISIT') $$,
    '42501', 'new row violates row-level security policy for table "bufdir_category_mappings"',
    'AM-22 what is published stays');
select is_empty(
    $$ delete from public.bufdir_category_mappings where mapping_version = 7
       returning activity_type_id $$, 'AM-22 whole');
select lives_ok(
    $$ insert into public.bufdir_thresholds
           (valid_from_year, bufdir_category_code, minimum_activity_count)
       values (2026, 'TALK', 100) $$, 'AM-23 sets thresholds');
select tests.act_as_owner();
select tests.add_activity('nord/ola', 'nord/A', p_minutes => 10, p_name => 'nord/short');
select tests.act_as('nord/cora');
select lives_ok(
    $$ insert into public.counting_rules
           (activity_type_id, valid_from, min_duration_minutes, source)
       values (tests.id('nord/talk'), '2026-01-01', 45, 'rules of 2026') $$,
    'AM-24 makes rules of what counts');
select is((select is_counted from public.activities where id = tests.id('nord/short')), false,
    'AM-24 which hold at once');
select isnt_empty(
    $$ delete from public.counting_rules where activity_type_id = tests.id('nord/talk')
       returning valid_from $$, 'AM-25 and takes them back');
select is((select is_counted from public.activities where id = tests.id('nord/short')), true,
    'AM-25 also at once');
select isnt_empty(
    $$ update public.organization_settings set time_zone = 'Europe/Oslo' where true
       returning organization_id $$, 'AM-26 changes the settings');
select throws_ok(
    $$ update public.organization_settings set time_zone = 'CEST' where true $$,
    '23514', null, 'AM-26 to what there is');
select isnt_empty(
    $$ update public.organization_settings set two_person_sign_off = false where true
       returning organization_id $$, 'AM-26 among them who signs a report');
select is((select count(*) from public.organization_settings), 1::bigint, 'AM-26 their own');
select tests.act_as('nord/kari');
select throws_ok(
    $$ insert into public.counting_rules (activity_type_id, valid_from, source)
       values (tests.id('nord/talk'), '2026-01-01', 'mine') $$,
    '42501', 'new row violates row-level security policy for table "counting_rules"',
    'AM-27 a coordinator decides none of this');
select is_empty(
    $$ update public.organization_settings set two_person_sign_off = true where true
       returning organization_id $$, 'AM-27 nor who signs a report');

-- ---------------------------------------------------------------- on record

select is_empty($$ select * from public.organization_changes $$,
    'AM-28 nor reads what was changed');
select tests.act_as('nord/cora');
select set_eq($$ select distinct table_name from public.organization_changes $$,
    array['organization_units', 'profiles', 'chapter_assignments', 'activity_types',
          'bufdir_category_mappings', 'bufdir_mapping_versions', 'bufdir_thresholds',
          'counting_rules', 'organization_settings'],
    'AM-29 an org admin does, whatever it was');
select is(
    (select array_agg(before ->> 'role' || ' ' || (after ->> 'role') || ' ' || changed_by
                      order by id)
     from public.organization_changes where table_name = 'profiles' and operation = 'update'),
    array['coordinator org_admin ' || tests.id('nord/anne'),
          'org_admin coordinator ' || tests.id('nord/anne')],
    'AM-30 with what was before, and who');
select is(
    (select array_agg(before ->> 'two_person_sign_off' || ' ' || (after ->> 'two_person_sign_off'))
     from public.organization_changes
     where table_name = 'organization_settings'
       and before -> 'two_person_sign_off' <> after -> 'two_person_sign_off'),
    array['true false'], 'AM-30 also that a report needs one person alone');
select is((select count(*) from public.organization_changes
           where coalesce(before, '{}') || coalesce(after, '{}') ? 'display_name'), 0::bigint,
    'AM-31 and no name of a person');

select * from finish();
rollback;
