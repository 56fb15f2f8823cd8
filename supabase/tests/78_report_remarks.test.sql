-- RM: what to look at before a report is signed: each kind, and a twin just within what is usual.
begin;
\ir helpers.psql
select plan(34);
select tests.settle();

-- A usual year, and the one before: m1 to m8, each in a chapter of their own, have 22 activities of
-- half an hour; no day has two.
insert into auth.users (id, email)
select tests.id('nord/m' || n), 'm' || n || '@nord.test' from generate_series(1, 8) n;
insert into public.profiles (id, organization_id, role, display_name)
select tests.id('nord/m' || n), tests.id('nord'), 'peer_mentor', 'm' || n
from generate_series(1, 8) n;
insert into public.organization_units (id, organization_id, parent_id, kind, name)
values (tests.id('nord/H'), tests.id('nord'), tests.id('nord/region'), 'local', 'H');
insert into public.chapter_assignments (profile_id, unit_id, organization_id)
select tests.id('nord/m' || n), tests.id('nord/' || substr('ABCDEFGH', n, 1)), tests.id('nord')
from generate_series(1, 8) n;
select count(tests.add_activity('nord/m' || n, 'nord/' || substr('ABCDEFGH', n, 1),
           make_date(y, 1, n) + make_interval(days => 16 * t, hours => 12), p_minutes => 30,
           p_name => format('%s/%s/%s', n, y, t)))
from generate_series(1, 8) n, generate_series(2024, 2025) y, generate_series(0, 21) t;

-- As if each was registered on its day.
create function tests.register_at_once() returns void language sql as $$
    update public.activities set recorded_at = occurred_at
    where organization_id = tests.id('nord') and recorded_at > occurred_at + interval '90 days' $$;
select tests.register_at_once();

-- What is said of 2025: of which chapter or person, of which day, how many; as of a day.
create function tests.remarks(p_kind text default '%', p_today date default '2025-12-31')
    returns setof text language sql as $$
    select concat_ws(' ', r.kind, u.name, p.display_name, r.day, r.number)
    from stats.remarks(tests.id('nord'), '2025-01-01', '2026-01-01', array(
             select o.id from public.organization_units o
             where o.organization_id = tests.id('nord') and o.kind = 'local'), p_today) r
    left join public.organization_units u on u.id = r.chapter_id
    left join public.profiles p on p.id = r.peer_mentor_id
    where r.kind like p_kind order by 1 $$;
-- So many more activities of a person, from an hour of a day on, registered on their day.
create function tests.add_more(p_number integer, p_mentor text, p_unit text, p_from timestamptz,
    p_minutes integer default 30, p_a_day integer default 1) returns void language sql as $$
    select count(tests.add_activity(p_mentor, p_unit, p_from + make_interval(
               days => t / p_a_day, hours => t % p_a_day), p_minutes => p_minutes))
    from generate_series(0, p_number - 1) t;
    select tests.register_at_once() $$;
grant execute on all functions in schema tests to public;

select is_empty('select tests.remarks()', 'RM-01 of a usual year nothing is said');
savepoint usual;

-- ---------------------------------------------------------------- a person on a day

select tests.add_more(10, 'nord/ola', 'nord/A', '2025-05-02 06:00Z', 72, 10);
select is_empty($$ select tests.remarks('person_day') $$,
    'RM-02 ten activities and twelve hours on a day are said nothing of');
savepoint full_day;
select tests.add_more(1, 'nord/ola', 'nord/A', '2025-05-02 20:00Z', 1);
select results_eq($$ select tests.remarks('person_day') $$,
    $$ values ('person_day nord/ola 2025-05-02 11') $$, 'RM-02 eleven, or a minute more, are');
rollback to full_day;
update public.activities set duration_minutes = 73
where id = (select a.id from public.activities a
            where (a.peer_mentor_id, a.activity_date) = (tests.id('nord/ola'), '2025-05-02')
            limit 1);
select results_eq($$ select tests.remarks('person_day') $$,
    $$ values ('person_day nord/ola 2025-05-02 10') $$, 'RM-02 each by itself');
rollback to usual;

-- ---------------------------------------------------------------- a person, a chapter, a day

-- Each has 660 minutes, so twice as many are usual. Another person, in the chapter of m1.
select tests.add_more(4, 'nord/ola', 'nord/A', '2025-05-02 06:00Z', 330);
select is_empty($$ select tests.remarks('person') $$, 'RM-03 twice what others do is usual');
select tests.add_more(1, 'nord/ola', 'nord/A', '2025-05-06 06:00Z', 1);
select results_eq($$ select tests.remarks('person') $$, $$ values ('person nord/ola 5') $$,
    'RM-03 a minute more is not');
select is_empty($$ select tests.remarks('chapter') $$,
    'RM-04 a chapter with more people has more hours');
rollback to usual;
select tests.add_more(2, 'nord/m1', 'nord/A', '2025-05-02 06:00Z', 330);
select is_empty($$ select tests.remarks('chapter') $$,
    'RM-04 as many for each of them as usual');
select tests.add_more(1, 'nord/m1', 'nord/A', '2025-05-06 06:00Z', 1);
select results_eq($$ select tests.remarks('chapter') $$, $$ values ('chapter A 25') $$,
    'RM-04 a minute more for each is too many');
rollback to usual;
delete from public.activities where unit_id = tests.id('nord/H');
select tests.add_more(3, 'nord/m1', 'nord/A', '2025-05-02 06:00Z', 600);
select is_empty($$ select tests.remarks('person') union all select tests.remarks('chapter') $$,
    'RM-05 among fewer than eight nobody is unusual');
rollback to usual;
-- On that day m1 has one; usual is one on a day.
select tests.add_more(3, 'nord/ola', 'nord/A', '2025-05-09 06:00Z', 30, 3);
select is_empty($$ select tests.remarks('day') $$, 'RM-06 four activities on a day are usual');
select tests.add_more(1, 'nord/liv', 'nord/B', '2025-05-09 06:00Z');
select results_eq($$ select tests.remarks('day') $$, $$ values ('day 2025-05-09 5') $$,
    'RM-06 five are not');
delete from public.activities where organization_id = tests.id('nord')
    and activity_date between '2025-01-28' and '2025-05-08'
     or organization_id = tests.id('nord') and activity_date > '2025-05-09';
select is_empty($$ select tests.remarks('day') $$,
    'RM-06 among fewer than 28 days none is unusual');
rollback to usual;

-- ---------------------------------------------------------------- a group

update public.activities set participant_count = 50 where id = tests.id('1/2025/3');
select is_empty($$ select tests.remarks('participants') $$, 'RM-07 a group may be of fifty');
update public.activities set participant_count = 51 where id = tests.id('1/2025/3');
select results_eq($$ select tests.remarks('participants') $$,
    $$ values ('participants A 2025-02-18 51') $$, 'RM-07 one more is looked at');
update public.activities set participant_count = 40
where organization_id = tests.id('nord') and id <> tests.id('1/2025/3');
select is_empty($$ select tests.remarks('participants') $$,
    'RM-07 unless the groups of its kind are large');
rollback to usual;

-- ---------------------------------------------------------------- last year

-- Of 22 a year.
select tests.add_more(43, 'nord/ola', 'nord/A', '2025-02-01 06:00Z');
select is_empty($$ select tests.remarks('last_year') $$,
    'RM-08 nearly three times as many as last year are usual');
select tests.add_more(1, 'nord/ola', 'nord/A', '2025-04-01 06:00Z');
select results_eq($$ select tests.remarks('last_year') $$, $$ values ('last_year A 66') $$,
    'RM-08 three times as many are not');
rollback to usual;
delete from public.activities
where unit_id = tests.id('nord/C') and activity_date > '2025-05-09';
select is_empty($$ select tests.remarks('last_year') $$,
    'RM-09 a bit more than a third of last year is usual');
delete from public.activities
where unit_id = tests.id('nord/C') and activity_date > '2025-04-24';
select results_eq($$ select tests.remarks('last_year') $$, $$ values ('last_year C 7') $$,
    'RM-09 a third is not');
delete from public.activities
where unit_id = tests.id('nord/C') and activity_date > '2025-01-01';
select results_eq($$ select tests.remarks('last_year') $$, $$ values ('last_year C 0') $$,
    'RM-09 nor is nothing');
delete from public.activities
where organization_id = tests.id('nord') and activity_date < '2025-01-01';
select is_empty($$ select tests.remarks('last_year') $$,
    'RM-09 in the first year there is none before it');
rollback to usual;
delete from public.activities where unit_id in (tests.id('nord/C'), tests.id('nord/D'));
select tests.add_more(19, 'nord/cato', 'nord/C', '2025-02-01 06:00Z'),
       tests.add_more(20, 'nord/m4', 'nord/D', '2025-02-01 06:00Z');
select results_eq($$ select tests.remarks('last_year') $$, $$ values ('last_year D 20') $$,
    'RM-10 fewer than twenty are too few to compare');
rollback to usual;

-- ---------------------------------------------------------------- when

select is_empty($$ select tests.remarks('future', '2025-12-10') $$,
    'RM-11 the last day is today, which is not yet to come');
select results_eq($$ select tests.remarks('future', '2025-12-09') $$,
    $$ values ('future H m8 2025-12-10 1') $$, 'RM-11 the next day is');
update public.activities set recorded_at = '2025-05-19 23:59:59Z'   -- of 18 February
where id = tests.id('1/2025/3');
select is_empty($$ select tests.remarks('late') $$, 'RM-12 ninety days later is in time');
update public.activities set recorded_at = '2025-05-20 00:00:01Z' where id = tests.id('1/2025/3');
select results_eq($$ select tests.remarks('late') $$, $$ values ('late A 2025-02-18 1') $$,
    'RM-12 the day after is late');
update public.activities set status = 'rejected' where id = tests.id('1/2025/3');
select is_empty('select tests.remarks()', 'RM-13 of what does not count nothing is said');
rollback to usual;

-- ---------------------------------------------------------------- to whom

update public.activities set participant_count = 51
where organization_id = tests.id('nord') and unit_id <> tests.id('nord/B')
  and activity_date >= '2025-09-25';
-- Of which chapters, how many, and how many there are.
create function tests.said() returns text language sql as $$
    select concat_ws(' ', string_agg(distinct r ->> 'chapter_name', '+'), count(*), 'of',
                     max(r ->> 'in_all'))
    from jsonb_array_elements(public.get_report_remarks('2025-01-01', '2026-01-01')) r
    where r ->> 'kind' = 'participants' $$;
grant execute on all functions in schema tests to public;
select tests.act_as('nord/kari');
select is(tests.said(), 'A 5 of 5', 'RM-14 coordinators are told of their chapters');
select tests.act_as('nord/cora');
select is(tests.said(), 'C 5 of 5', 'RM-14 each of their own');
select tests.act_as('nord/anne');
select matches(tests.said(), ' 20 of 35$',
    'RM-14 org admins of all, of each kind the largest twenty');
select tests.act_as('nord/ola');
select throws_ok('select tests.said()', '42501', 'only coordinators and org admins see remarks',
    'RM-14 peer mentors of none');
select tests.act_as('sor/siri');
select is(tests.said(), '0 of', 'RM-14 and nobody of another organisation');

-- ---------------------------------------------------------------- nothing is blocked

select tests.act_as('nord/kari');
select lives_ok($$ select public.save_metric_snapshot('2025-01-01', '2026-01-01');
                   select public.prepare_report('2025-01-01', '2026-01-01') $$,
    'RM-15 a report with remarks is prepared as any other');

select * from finish();
rollback;
