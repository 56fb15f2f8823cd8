-- CR: the rule that says what counts stands once, and everything follows it.
begin;
\ir helpers.psql
select plan(14);

select results_eq(
    $$ select s::text, stats.counts_in_statistics(s)
       from unnest(enum_range(null::public.activity_status)) s $$,
    $$ values ('draft', false), ('registered', true), ('rejected', false) $$,
    'CR-01 what is registered counts; drafts and rejections do not');
select results_eq(
    $$ select m, stats.hours(m) from unnest('{0,1,60,100,125}'::bigint[]) m $$,
    $$ values (0::bigint, 0.00), (1, 0.02), (60, 1.00), (100, 1.67), (125, 2.08) $$,
    'CR-02 hours have two decimals');
select is(stats.hours(3 * 20), 1.00,
    'CR-03 they are computed from a sum, for the sum of hours would say 0.99');

select tests.add_activity(p_name => 'draft', p_status => 'draft');
select tests.add_activity(p_name => 'registered');
select tests.add_activity(p_name => 'rejected', p_status => 'rejected');
select results_eq(
    $$ select a.status::text, a.is_counted, stats.counts_in_statistics(a.status)
       from public.activities a
       where a.organization_id = tests.id('nord')
       order by a.status $$,
    $$ values ('draft', false, false), ('registered', true, true), ('rejected', false, false) $$,
    'CR-04 each row carries what the rule said');
select results_eq(
    $$ select id from stats.countable_activities where organization_id = tests.id('nord') $$,
    array[tests.id('registered')],
    'CR-05 and what counts is one view');
select throws_ok(
    $$ update public.activities set is_counted = true where true $$,
    '428C9', 'column "is_counted" can only be updated to DEFAULT',
    'CR-06 nobody writes it');
select results_eq(
    $$ select distinct v.oid::regclass::text
       from pg_depend d
       join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
       join pg_class v on v.oid = r.ev_class
       where d.refclassid = 'pg_class'::regclass
         and d.refobjid = 'public.activities'::regclass
         and v.relnamespace in ('stats'::regnamespace, 'public'::regnamespace)
       order by 1 $$,
    array['stats.countable_activities', 'stats.wrong_expenses'],
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

-- how the rule is changed: the function, and the rows
create or replace function stats.counts_in_statistics(p_status public.activity_status)
    returns boolean
    language sql immutable parallel safe security invoker set search_path = ''
    return p_status <> 'rejected';
select is(tests.counted(), 0::bigint, 'CR-12 another rule changes nothing by itself');
update public.activities set status = status where true;
select is(tests.counted(), 3::bigint, 'CR-13 but once the rows are written again');
select is_empty(
    $$ (select chapter_id, count(*) from stats.countable_activities group by 1
        except
        select chapter_id, activity_count from stats.live_chapter_stats)
       union all
       (select chapter_id, activity_count from stats.live_chapter_stats
        except
        select chapter_id, count(*) from stats.countable_activities group by 1) $$,
    'CR-14 and then holds everywhere');

select * from finish();
rollback;
