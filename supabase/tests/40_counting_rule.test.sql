-- CR: the rule that says what counts stands once, and everything follows it.
begin;
\ir helpers.psql
select plan(33);

select results_eq(
    $$ select s::text, stats.counts_in_statistics(s, 60, 5, null, null, null)
       from unnest(enum_range(null::public.activity_status)) s $$,
    $$ values ('draft', 'draft'), ('registered', null), ('rejected', 'rejected') $$,
    'CR-01 without a rule, what is registered counts; drafts and rejections do not');
select results_eq(
    $$ select stats.counts_in_statistics('registered', d, p, c, 45, 3)
       from (values (45, 3, true), (44, 3, true), (45, 2, true), (44, 2, true), (45, 3, false))
            x (d, p, c) $$,
    $$ values (null), ('too_short'), ('too_few_participants'), ('too_short'),
              ('type_does_not_count') $$,
    'CR-02 a rule asks for so many minutes, so many people, or leaves a type out');
select results_eq(
    $$ select m, stats.hours(m) from unnest('{0,1,60,100,125}'::bigint[]) m $$,
    $$ values (0::bigint, 0.00), (1, 0.02), (60, 1.00), (100, 1.67), (125, 2.08) $$,
    'CR-03 hours have two decimals');
select is(stats.hours(3 * 20), 1.00,
    'CR-03 they are computed from a sum, for the sum of hours would say 0.99');

select tests.add_activity(p_name => 'draft', p_status => 'draft');
select tests.add_activity(p_name => 'registered');
select tests.add_activity(p_name => 'rejected', p_status => 'rejected');
create function tests.reasons() returns setof text language sql as $$
    select coalesce(a.not_counted_because, 'counts') from public.activities a
    where a.organization_id = tests.id('nord') and a.is_counted = (a.not_counted_because is null)
    order by a.id = tests.id('draft') desc, a.id = tests.id('registered') desc
$$;
select results_eq('select tests.reasons()', array['draft', 'counts', 'rejected'],
    'CR-04 each row carries what the rule said');
select results_eq(
    $$ select id from stats.countable_activities where organization_id = tests.id('nord') $$,
    array[tests.id('registered')],
    'CR-05 and what counts is one view');
select throws_ok(
    $$ update public.activities set is_counted = true where true $$,
    '428C9', 'column "is_counted" can only be updated to DEFAULT',
    'CR-06 nobody writes it');
update public.activities set not_counted_because = null where true;
select results_eq('select tests.reasons()', array['draft', 'counts', 'rejected'],
    'CR-06 nor the reason, not even the owner');
select tests.act_as_role('service_role');
select throws_ok(
    $$ update public.activities set not_counted_because = null where true $$,
    '42501', 'permission denied for table activities', 'CR-06 and others may not try');
select tests.act_as('nord/kari');
select throws_ok(
    $$ update public.activities set not_counted_because = null where true $$,
    '42501', 'permission denied for table activities', 'CR-06 and others may not try');
select tests.act_as_owner();
select results_eq(
    $$ select distinct v.oid::regclass::text
       from pg_depend d
       join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
       join pg_class v on v.oid = r.ev_class
       where d.refclassid = 'pg_class'::regclass
         and d.refobjid = 'public.activities'::regclass
         and v.relnamespace in ('stats'::regnamespace, 'public'::regnamespace)
       order by 1 $$,
    array['possible_duplicates', 'stats.activity_facts', 'stats.countable_activities',
          'stats.judgements',
          'stats.misjudged_activities',
          'stats.registered_minutes', 'stats.wrong_expenses'],
    'CR-07 no other view that counts reads activities, so nothing can count by another rule');

create function tests.counted() returns bigint language sql as $$
    select coalesce(sum(activity_count), 0)::bigint
    from stats.live_chapter_stats
    where organization_id = tests.id('nord')
$$;
select is(tests.counted(), 1::bigint, 'CR-08 one of the three is in the statistics');
update public.activities set status = 'registered' where id = tests.id('draft');
select is(tests.counted(), 2::bigint, 'CR-09 a draft that is registered comes in');
update public.activities set status = 'rejected' where id = tests.id('registered');
select is(tests.counted(), 1::bigint, 'CR-10 what is rejected goes out');
update public.activities set status = 'draft' where organization_id = tests.id('nord');
select is(tests.counted(), 0::bigint, 'CR-11 without any there is nothing');
delete from public.activities where organization_id = tests.id('nord');

-- ---------------------------------------------------------------- rules by type and day

select tests.add_activity(p_name => 'day before', p_at => '2026-02-28 12:00Z', p_minutes => 30),
       tests.add_activity(p_name => 'short', p_at => '2026-03-01 12:00Z', p_minutes => 44),
       tests.add_activity(p_name => 'few', p_at => '2026-03-01 12:00Z', p_minutes => 45,
                          p_participants => 2),
       tests.add_activity(p_name => 'enough', p_at => '2026-03-01 12:00Z', p_minutes => 45,
                          p_participants => 3),
       tests.add_activity(p_name => 'visit', p_at => '2026-03-01 12:00Z', p_minutes => 10,
                          p_type => 'nord/visit');
create function tests.found() returns setof text language sql as $$
    select x.name || ': ' || coalesce(a.not_counted_because, 'counts')
    from unnest('{day before,short,few,enough,visit}'::text[]) with ordinality x (name, n)
    join public.activities a on a.id = tests.id(x.name)
    order by x.n
$$;
select is(tests.counted(), 5::bigint, 'CR-12 without a rule all of them count');
select stats.fold();
insert into public.counting_rules
    (organization_id, activity_type_id, valid_from, min_duration_minutes, min_participants, source)
values (tests.id('nord'), tests.id('nord/talk'), '2026-03-01', 45, 3, 'the tests');
select results_eq('select tests.found()',
    array['day before: counts', 'short: too_short', 'few: too_few_participants', 'enough: counts',
          'visit: counts'],
    'CR-13 a rule holds for its type, from its day on, as soon as it is written');
select is(tests.counted(), 3::bigint, 'CR-13 in the statistics, too');
select is_empty(
    $$ select from stats.audit(array[tests.id('nord/A')]) $$, 'CR-13 which are exact');
update public.activities set duration_minutes = 45, participant_count = 3
where id = tests.id('short');
select tests.add_activity(p_name => 'new', p_at => '2026-03-02 12:00Z', p_minutes => 44);
select is((select not_counted_because from public.activities where id = tests.id('new')),
    'too_short', 'CR-14 what is written from now on is judged by it');
select is(tests.counted(), 4::bigint, 'CR-14 as is what is corrected');
delete from public.activities where id = tests.id('new');

insert into public.counting_rules (organization_id, activity_type_id, valid_from, counts, source)
values (tests.id('nord'), tests.id('nord/talk'), '2026-02-01', false, 'the tests');
select results_eq('select tests.found()',
    array['day before: type_does_not_count', 'short: counts', 'few: too_few_participants',
          'enough: counts', 'visit: counts'],
    'CR-15 each holds until the day of the next one');
update public.counting_rules set valid_from = '2026-03-02'
where activity_type_id = tests.id('nord/talk') and counts;
select results_eq('select tests.found()',
    array['day before: type_does_not_count', 'short: type_does_not_count',
          'few: type_does_not_count', 'enough: type_does_not_count', 'visit: counts'],
    'CR-16 one that is moved is applied anew');
update public.counting_rules set activity_type_id = tests.id('nord/visit')
where activity_type_id = tests.id('nord/talk') and not counts;
select results_eq('select tests.found()',
    array['day before: counts', 'short: counts', 'few: counts', 'enough: counts',
          'visit: type_does_not_count'],
    'CR-17 to another type: to both of them');
delete from public.counting_rules where organization_id = tests.id('nord');
select is(tests.counted(), 5::bigint, 'CR-18 and without rules everything counts again');
select is_empty(
    $$ select from stats.audit(array[tests.id('nord/A')]) $$, 'CR-18 exactly');
select throws_ok(
    $$ insert into public.counting_rules
           (organization_id, activity_type_id, valid_from, source)
       values (tests.id('nord'), tests.id('sor/talk'), '2026-03-01', 'the tests') $$,
    '23503',
    'insert or update on table "counting_rules" violates foreign key constraint '
    '"counting_rules_activity_type_fkey"',
    'CR-19 a rule is about a type of its own organisation');

-- ---------------------------------------------------------------- who reads and writes rules

insert into public.counting_rules (organization_id, activity_type_id, valid_from, source)
values (tests.id('nord'), tests.id('nord/talk'), '2026-03-01', 'a page'),
       (tests.id('sor'), tests.id('sor/talk'), '2026-03-01', 'another page');
select tests.act_as('nord/ola');
select results_eq('select source from public.counting_rules', array['a page'],
    'CR-20 every member reads those of their organisation');
select is_empty(
    $$ delete from public.counting_rules where true returning valid_from $$,
    'CR-21 and a peer mentor writes none');
select tests.act_as_role('service_role');
select lives_ok(
    $$ delete from public.counting_rules where source like '%page' $$,
    'CR-22 the service role does');
select tests.act_as_owner();

-- ---------------------------------------------------------------- how the rule itself is changed

create or replace function stats.counts_in_statistics(
    p_status public.activity_status, p_duration_minutes integer, p_participant_count integer,
    p_counts boolean, p_min_duration_minutes integer, p_min_participants integer)
    returns text
    language sql stable parallel safe security invoker set search_path = ''
    return case when p_duration_minutes < 45 then 'short' end;
select is(tests.counted(), 5::bigint, 'CR-23 another rule changes nothing by itself');
select stats.apply_counting_rules();
select is(tests.counted(), 3::bigint, 'CR-24 but once it is applied');
select is_empty(
    $$ (select chapter_id, count(*) from stats.countable_activities group by 1
        except
        select chapter_id, activity_count from stats.live_chapter_stats)
       union all
       (select chapter_id, activity_count from stats.live_chapter_stats
        except
        select chapter_id, count(*) from stats.countable_activities group by 1) $$,
    'CR-25 and then holds everywhere');

select * from finish();
rollback;
