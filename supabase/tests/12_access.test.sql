-- AR: who is calling, and which of the organisation's own tables they see.
begin;
\ir helpers.psql
select plan(32);

-- ---------------------------------------------------------------- the caller

select tests.act_as('nord/kari');
select is(app.current_org_id(), tests.id('nord'), 'AR-01 the token names the organisation');
select set_config('app.current_org_id', tests.id('nord')::text, true);
select is(app.current_org_id(), tests.id('nord'), 'AR-02 a session that says the same is believed');
select set_config('app.current_org_id', tests.id('sor')::text, true);
select throws_ok(
    $$ select app.current_org_id() $$,
    '42501', 'the token and the session name different organisations',
    'AR-03 a session that says otherwise is refused');
select throws_ok(
    $$ select count(*) from public.organization_units $$,
    '42501', 'the token and the session name different organisations',
    'AR-03 and so is every read');
select tests.act_as_owner();
select is(app.current_org_id(), tests.id('sor'),
    'AR-04 without a token the session''s organisation holds');
select set_config('app.current_org_id', '', true);
select is(app.current_org_id(), null, 'AR-05 without either there is none');

select tests.act_as('nord/kari');
select is(app.member_org_id(), tests.id('nord'), 'AR-06 an active profile is a member');
select is(app.profile_role(), 'coordinator', 'AR-06 with the role of now');
select tests.act_as('nord/ina');
select is(app.member_org_id(), null, 'AR-07 an inactive one is not');
select is(app.profile_role(), null, 'AR-07 and has no role');
select tests.act_as('nord/kari', p_organization => 'sor');
select is(app.member_org_id(), null,
    'AR-08 a token of another organisation makes nobody a member of it');
select is_empty($$ select * from public.organization_units $$, 'AR-08 and shows nothing of either');
select tests.act_as('nord/stranger');
select is(app.profile_id(), null, 'AR-09 without a profile one is nobody');

-- ---------------------------------------------------------------- the organisation and its tree

select tests.act_as('nord/ola');
select results_eq($$ select slug from public.organizations $$, $$ values ('tests-nord') $$,
    'AR-10 a member reads their own organisation');
select results_eq(
    $$ select max_chapter_assignments from public.organization_settings $$,
    $$ values (5) $$,
    'AR-11 its settings');
select is((select count(*) from public.organization_units), 9::bigint, 'AR-12 its tree');
select is((select count(*) from public.chapters), 7::bigint, 'AR-13 its chapters');
select set_eq($$ select code from public.activity_types $$, array['talk', 'visit'],
    'AR-14 its kinds of activity');
select tests.act_as('sor/sol');
select results_eq($$ select name from public.chapters $$, $$ values ('S') $$,
    'AR-15 and nobody those of another');
select tests.act_as('nord/ina');
select is_empty($$ select * from public.organizations $$,
    'AR-16 whoever is inactive reads nothing of it');
select is_empty($$ select * from public.chapters $$, 'AR-16 nor of its tree');

-- ---------------------------------------------------------------- people

select results_eq($$ select display_name from public.profiles $$, $$ values ('nord/ina') $$,
    'AR-17 but still themselves');
select tests.act_as('nord/ola');
select results_eq($$ select display_name from public.profiles $$, $$ values ('nord/ola') $$,
    'AR-18 a peer mentor reads themselves');
select tests.act_as('nord/kari');
select set_eq(
    $$ select display_name from public.profiles $$,
    array['nord/kari', 'nord/ola', 'nord/liv', 'nord/ina'],
    'AR-19 a coordinator reads those of their chapters, not those of C');
select tests.act_as('nord/anne');
select is((select count(*) from public.profiles), 7::bigint,
    'AR-20 an org admin reads all of the organisation, and none of another');

select tests.act_as('nord/ola');
select isnt_empty(
    $$ update public.profiles
       set display_name = 'Ola'
       where id = tests.id('nord/ola')
       returning id $$,
    'AR-21 people rename themselves');
select tests.act_as('nord/kari');
select is_empty(
    $$ update public.profiles
       set display_name = 'x'
       where id = tests.id('nord/ola')
       returning id $$,
    'AR-22 and nobody else');
select throws_ok(
    $$ update public.profiles set role = 'org_admin' where id = tests.id('nord/kari') $$,
    '42501', 'permission denied for table profiles',
    'AR-23 nobody gives themselves a role');
select is_empty(
    $$ update public.organization_settings set statistics_enabled = false where true
       returning organization_id $$,
    'AR-24 nor changes the settings');
select throws_ok(
    $$ insert into public.chapter_assignments (profile_id, unit_id)
       values (tests.id('nord/kari'), tests.id('nord/C')) $$,
    '42501', 'new row violates row-level security policy for table "chapter_assignments"',
    'AR-25 nor takes a chapter');
select set_eq($$ select distinct profile_id from public.chapter_assignments $$,
    array[tests.id('nord/kari'), tests.id('nord/ola'), tests.id('nord/liv'), tests.id('nord/ina')],
    'AR-26 a coordinator reads the assignments of their chapters');
select tests.act_as_role('anon');
select throws_ok(
    $$ select * from public.organizations $$,
    '42501', 'permission denied for table organizations',
    'AR-27 anon reads nothing');

select * from finish();
rollback;
