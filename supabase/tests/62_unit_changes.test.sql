-- UC: which edit puts which unit and day into the log of changed units.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(46);
select tests.settle_hierarchy();

-- ---------------------------------------------------------------- activities come and go

select results_eq(
    $$ select * from tests.logs($q$ select tests.add_activity(p_name => 'first') $q$) $$,
    array['nord/A 2026-03-10'],
    'UC-01 a new activity logs its unit and day');
select is_empty(
    $$ select *
       from tests.logs($q$ select tests.add_activity(p_status => 'draft',
                               p_name => 'draft') $q$) $$,
    'UC-02 a draft logs nothing');
select results_eq(
    $$ select *
       from tests.logs($q$ select tests.add_activity(p_at => '2026-01-01 00:30+01') $q$) $$,
    array['nord/A 2025-12-31'],
    'UC-03 the day is that of UTC, and with it the year');
create temporary table rows_to_add on commit drop as
    select tests.id('nord') as organization_id, tests.id(u) as unit_id,
           tests.id('nord/ola') as peer_mentor_id, tests.id('nord/ola') as registered_by,
           tests.id('nord/talk') as activity_type_id, at::timestamptz as occurred_at,
           30 as duration_minutes
    from (values ('nord/A', '2026-04-01 08:00Z'), ('nord/A', '2026-04-01 20:00Z'),
                 ('nord/A', '2026-04-02 08:00Z'), ('nord/leaf', '2026-04-01 08:00Z')) r (u, at);
select results_eq(
    $$ select *
       from tests.logs($q$ insert into public.activities
                               (organization_id, unit_id, peer_mentor_id, registered_by,
                                activity_type_id, occurred_at, duration_minutes)
                           table rows_to_add $q$) $$,
    array['nord/A 2026-04-01', 'nord/A 2026-04-02', 'nord/leaf 2026-04-01'],
    'UC-04 many rows in one statement log each unit and day once');
select is_empty(
    $$ select *
       from tests.logs($q$ delete from public.activities where id = tests.id('draft') $q$) $$,
    'UC-05 a deleted draft logs nothing');
select tests.add_activity(p_name => 'gone');
select results_eq(
    $$ select *
       from tests.logs($q$ delete from public.activities where id = tests.id('gone') $q$) $$,
    array['nord/A 2026-03-10'],
    'UC-06 a deleted activity logs its unit and day');
savepoint before;
select tests.add_activity();
rollback to before;
select is_empty($$ select * from tests.unit_changes() $$,
    'UC-07 what is rolled back is not logged');

-- ---------------------------------------------------------------- edits

create function tests.edit_logs(p_assignments text) returns setof text language sql as $$
    select tests.logs(format(
        'update public.activities set %s where id = tests.id(''first'')', p_assignments))
$$;
select is_empty($$ select * from tests.edit_logs($q$ summary = 'Talked about the future' $q$) $$,
    'UC-08 the text of an activity is in no summary');
select is_empty($$ select * from tests.edit_logs($q$ coordinator_id = tests.id('nord/kari') $q$) $$,
    'UC-09 nor is its coordinator');
select is_empty(
    $$ select *
       from tests.edit_logs($q$ duration_minutes = duration_minutes,
                                contact_id = contact_id $q$) $$,
    'UC-10 nor is an edit that changes nothing');
select results_eq(
    $$ select * from tests.edit_logs($q$ contact_id = tests.id('somebody') $q$) $$,
    array['nord/A 2026-03-10'],
    'UC-11 a contact is: it may be one more');
select results_eq(
    $$ select * from tests.edit_logs($q$ contact_id = tests.id('somebody else') $q$) $$,
    array['nord/A 2026-03-10'],
    'UC-12 another contact');
select results_eq(
    $$ select * from tests.edit_logs($q$ contact_id = null $q$) $$,
    array['nord/A 2026-03-10'],
    'UC-13 and no contact');
select results_eq(
    $$ select * from tests.edit_logs($q$ duration_minutes = 61 $q$) $$,
    array['nord/A 2026-03-10'],
    'UC-14 the duration');
select results_eq(
    $$ select * from tests.edit_logs($q$ participant_count = 7 $q$) $$,
    array['nord/A 2026-03-10'],
    'UC-15 the participants');
select results_eq(
    $$ select * from tests.edit_logs($q$ activity_type_id = tests.id('nord/visit') $q$) $$,
    array['nord/A 2026-03-10'],
    'UC-16 the type');
select results_eq(
    $$ select *
       from tests.edit_logs($q$ peer_mentor_id = tests.id('nord/liv'),
                                registered_by = tests.id('nord/liv') $q$) $$,
    array['nord/A 2026-03-10'],
    'UC-17 the peer mentor');
select results_eq(
    $$ select * from tests.edit_logs($q$ unit_id = tests.id('nord/B') $q$) $$,
    array['nord/A 2026-03-10', 'nord/B 2026-03-10'],
    'UC-18 another unit logs both');
select results_eq(
    $$ select * from tests.edit_logs($q$ occurred_at = '2025-06-01 12:00Z' $q$) $$,
    array['nord/B 2025-06-01', 'nord/B 2026-03-10'],
    'UC-19 another day logs both');
select results_eq(
    $$ select * from tests.edit_logs($q$ status = 'rejected' $q$) $$,
    array['nord/B 2025-06-01'],
    'UC-20 what counts no more is logged');
select is_empty($$ select * from tests.edit_logs($q$ duration_minutes = 99 $q$) $$,
    'UC-21 what does not count may change unnoticed');
select results_eq(
    $$ select *
       from tests.edit_logs($q$ status = 'registered', unit_id = tests.id('nord/C') $q$) $$,
    array['nord/C 2025-06-01'],
    'UC-22 what counts again is logged where it now is');
select tests.add_activity('nord/ola', 'nord/A', p_name => 'second');
select results_eq(
    $$ select *
       from tests.logs($q$ update public.activities
                           set duration_minutes = 60
                           where id in (tests.id('first'), tests.id('second')) $q$) $$,
    array['nord/C 2025-06-01'],
    'UC-23 of several edited in one statement only those that changed');
select results_eq(
    $$ select *
       from tests.logs($q$ insert into public.activities
                               (id, organization_id, unit_id, peer_mentor_id, registered_by,
                                activity_type_id, occurred_at, duration_minutes)
                           select tests.id('second'), organization_id, unit_id, peer_mentor_id,
                                  registered_by, activity_type_id, occurred_at, 15
                           from rows_to_add
                           where unit_id = tests.id('nord/leaf')
                           on conflict (id) do update set duration_minutes = 15 $q$) $$,
    array['nord/A 2026-03-10'],
    'UC-24 an upsert logs what it changed, not what it would have added');

-- ---------------------------------------------------------------- expenses

create function tests.claim(p_name text, p_amount numeric) returns void language sql as $$
    insert into public.expense_claims (id, organization_id, activity_id, amount_nok)
    values (tests.id(p_name), tests.id('nord'), tests.id('second'), p_amount)
$$;
select is_empty($$ select * from tests.logs($q$ select tests.claim('bus', 80) $q$) $$,
    'UC-25 a claim logs nothing');
select results_eq(
    $$ select *
       from tests.logs($q$ update public.expense_claims
                           set status = 'approved'
                           where id = tests.id('bus') $q$) $$,
    array['nord/A 2026-03-10'],
    'UC-26 its approval does');
select set_eq(
    $$ select *
       from tests.logs($q$ update public.expense_claims
                           set amount_nok = 90
                           where id = tests.id('bus') $q$) $$,
    array['nord/A 2026-03-10'],
    'UC-27 another amount');
select results_eq(
    $$ select *
       from tests.logs($q$ update public.expense_claims
                           set status = 'pending'
                           where id = tests.id('bus') $q$) $$,
    array['nord/A 2026-03-10'],
    'UC-28 and its withdrawal');
select is_empty(
    $$ select *
       from tests.logs($q$ update public.expense_claims
                           set status = 'rejected'
                           where id = tests.id('bus') $q$) $$,
    'UC-29 a rejection does not');

-- ---------------------------------------------------------------- the tree

select results_eq(
    $$ select *
       from tests.logs($q$ update public.organization_units
                           set parent_id = tests.id('nord/west')
                           where id = tests.id('nord/east') $q$) $$,
    array['nord/region', 'nord/west'],
    'UC-30 a unit that moves logs the parent it leaves and the one it joins, for every year');
select results_eq(
    $$ select *
       from tests.logs($q$ update public.organization_units
                           set parent_id = tests.id('nord/west')
                           where parent_id = tests.id('nord/region')
                             and name in ('F', 'G') $q$) $$,
    array['nord/region', 'nord/region', 'nord/west', 'nord/west'],
    'UC-31 two that move in one statement are logged one by one');
select is_empty(
    $$ select *
       from tests.logs($q$ update public.organization_units
                           set name = 'Vest'
                           where id = tests.id('nord/W') $q$) $$,
    'UC-32 another name is in no summary');
select is_empty(
    $$ select *
       from tests.logs($q$ insert into public.organization_units
                               (organization_id, parent_id, kind, name)
                           values (tests.id('nord'), tests.id('nord/west'), 'local', 'new') $q$) $$,
    'UC-33 nor is a unit without activities');
select results_eq(
    $$ select *
       from tests.logs($q$ delete from public.organization_units
                           where name = 'new'
                             and organization_id = tests.id('nord') $q$) $$,
    array['nord/west'],
    'UC-34 a unit that is deleted logs its parent: what was logged of the unit itself no walk '
    'can find any more');
delete from public.activities where unit_id = tests.id('nord/leaf');
select results_eq(
    $$ select *
       from tests.logs($q$ delete from public.organization_units
                           where id in (tests.id('nord/leaf'), tests.id('nord/inner')) $q$) $$,
    array['', 'nord/east'],
    'UC-35 of a subtree the parent that is left, too');

-- ---------------------------------------------------------------- categories

create temporary table leaves on commit drop as
    select tests.unit_name(u.id) collate "default" as name
    from public.organization_units u
    where u.organization_id = tests.id('nord')
      and not exists (select from public.organization_units c where c.parent_id = u.id);
select is((select count(*) from leaves), 9::bigint,
    'UC-36 (nord has nine units without units below them, one of them a district)');
select set_eq(
    $$ select *
       from tests.logs($q$ insert into public.bufdir_category_mappings
                           values (1, tests.id('nord/talk'), 'SAMTALE') $q$) $$,
    $$ select name from leaves $$,
    'UC-37 a category outdates the whole organisation: its lowest units are logged, for every '
    'year');
select set_eq(
    $$ select *
       from tests.logs($q$ update public.bufdir_category_mappings
                           set bufdir_category_code = 'MOTE'
                           where activity_type_id = tests.id('nord/talk') $q$) $$,
    $$ select name from leaves $$,
    'UC-38 another category');
select set_eq(
    $$ select *
       from tests.logs($q$ update public.bufdir_category_mappings
                           set activity_type_id = tests.id('sor/talk')
                           where activity_type_id = tests.id('nord/talk') $q$) $$,
    $$ select name from leaves union all select 'sor/S' $$,
    'UC-39 one that goes to another organisation outdates both');
select set_eq(
    $$ select *
       from tests.logs($q$ delete from public.bufdir_category_mappings
                           where activity_type_id = tests.id('sor/talk') $q$) $$,
    array['sor/S'],
    'UC-40 no category, and only there');
insert into public.activity_types (id, organization_id, code, label)
values (tests.id('nord/unused'), tests.id('nord'), 'unused', 'Unused');
insert into public.bufdir_category_mappings values (2, tests.id('nord/unused'), 'X');
select set_eq(
    $$ select *
       from tests.logs($q$ delete from public.activity_types
                           where id = tests.id('nord/unused') $q$) $$,
    $$ select name from leaves $$,
    'UC-41 a type that is deleted takes its categories along, and perhaps the version that was '
    'current');

-- ---------------------------------------------------------------- the log itself

select tests.add_activity();
select is((select organization_id from stats.unit_changes), tests.id('nord'),
    'UC-42 and its organisation');
select set_eq(
    $$ select attname
       from pg_attribute
       where attrelid = 'stats.unit_changes'::regclass
         and attnum > 0
         and not attisdropped $$,
    array['id', 'changed_at', 'organization_id', 'unit_id', 'changed_on'],
    'UC-43 and nothing about anybody');
select tests.act_as('nord/anne');
select throws_ok(
    $$ select * from stats.unit_changes $$,
    '42501', 'permission denied for schema stats',
    'UC-44 nobody reads it through the API');
select lives_ok($$ select tests.add_activity('nord/liv', 'nord/A', p_by => 'nord/anne') $$,
    'UC-45 but every writer writes it');
select tests.act_as_owner();
select is((select count(*) from stats.unit_changes), 2::bigint, 'UC-45 without any right to it');

select * from finish();
rollback;
