-- CL: what each kind of write leaves in the change log: signed sums per chapter, peer mentor, type
-- and day.
begin;
\ir helpers.psql
select plan(30);

-- the changes since it was last called, readable
create function tests.changes()
    returns table (
        chapter text, peer_mentor text, type text, day text, activities bigint, minutes bigint,
        participants bigint, nok numeric)
    language sql as $$
    with taken as (delete from stats.activity_changes c
                   where c.organization_id in (tests.id('nord'), tests.id('sor'))
                   returning c.*)
    select u.name, split_part(p.display_name, '/', 2), t.code, c.bucket_date::text,
           c.activity_count, c.total_minutes, c.participant_count, c.approved_nok
    from taken c
    join public.organization_units u on u.id = c.chapter_id
    join public.profiles p on p.id = c.peer_mentor_id
    join public.activity_types t on t.id = c.activity_type_id
    order by u.name collate "C", p.display_name collate "C", t.code collate "C", c.bucket_date,
             c.activity_count;
$$;
-- results_eq compares text of one collation only
create function tests.logged() returns setof text language sql as $$
    select concat_ws(
        ' ', chapter, peer_mentor, type, day, activities, minutes, participants, trim_scale(nok))
    from tests.changes()
$$;

-- ---------------------------------------------------------------- inserts

select tests.add_activity(p_name => 'one', p_participants => 3);
select results_eq('select tests.logged()', array['A ola talk 2026-03-10 1 60 3 0'],
    'CL-01 an INSERT logs one row');
insert into public.activities
    (organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id, occurred_at,
     duration_minutes)
select tests.id('nord'), tests.id('nord/A'), tests.id('nord/ola'), tests.id('nord/ola'),
       tests.id('nord/talk'), timestamptz '2026-03-10 08:00Z' + n * interval '1 minute', 10
from generate_series(1, 100) n;
select results_eq('select tests.logged()', array['A ola talk 2026-03-10 100 1000 100 0'],
    'CL-02 so do a hundred of one chapter, peer mentor, type and day');
insert into public.activities
    (id, organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id, occurred_at,
     duration_minutes, status)
select tests.id('mixed ' || n), tests.id('nord'), tests.id('nord/' || unit),
       tests.id('nord/' || mentor), tests.id('nord/' || mentor), tests.id('nord/' || type), at, 30,
       status::public.activity_status
from (values (1, 'A', 'ola', 'talk', timestamptz '2026-03-10 23:59:59Z', 'registered'),
             (2, 'A', 'ola', 'talk', '2026-03-11 00:00:00Z', 'registered'),
             (3, 'A', 'ola', 'visit', '2026-03-11 01:00+01', 'registered'),
             (4, 'A', 'liv', 'talk', '2026-03-11 00:59+01', 'registered'),
             (5, 'C', 'cato', 'talk', '2026-03-11', 'draft'),
             (6, 'C', 'cato', 'talk', '2026-03-11',
              'rejected')) x (n, unit, mentor, type, at, status);
select results_eq(
    'select tests.logged()',
    array[
        'A liv talk 2026-03-10 1 30 1 0', 'A ola talk 2026-03-10 1 30 1 0',
        'A ola talk 2026-03-11 1 30 1 0', 'A ola visit 2026-03-11 1 30 1 0'],
    'CL-03 days are UTC days; drafts and rejections log nothing');

-- By the owner, whom no policy keeps from COPY, in the name of liv. The ids are tests.id() of
-- nord/B and nord/talk.
select tests.act_as('nord/liv');
set local role none;
copy public.activities (unit_id, activity_type_id, occurred_at, duration_minutes, status)
from stdin;
48bbceb9ffe601065f0ba77492f8e91b	08d9851517f0c0beee2073a8191e4ff1	2026-03-12 10:00Z	10	registered
48bbceb9ffe601065f0ba77492f8e91b	08d9851517f0c0beee2073a8191e4ff1	2026-03-12 11:00Z	20	registered
48bbceb9ffe601065f0ba77492f8e91b	08d9851517f0c0beee2073a8191e4ff1	2026-03-12 12:00Z	40	draft
\.
select tests.act_as_owner();
select results_eq('select tests.logged()', array['B liv talk 2026-03-12 2 30 2 0'],
    'CL-04 COPY is logged like INSERT');

-- ---------------------------------------------------------------- updates

create function tests.update_one(p_set text) returns void language plpgsql as $$
begin
    execute format('update public.activities set %s where id = %L', p_set, tests.id('one'));
end $$;

select tests.update_one(
    $$ summary = 'a good talk', coordinator_id = null, occurred_at = '2026-03-10 14:00Z' $$);
select is_empty('select tests.logged()',
    'CL-05 what no statistic shows, a summary, an hour, logs nothing');
select tests.update_one('contact_id = gen_random_uuid()');
select results_eq('select tests.logged()', array['A ola talk 2026-03-10 0 0 0 0'],
    'CL-05 another contact logs that something changed, but no sum');
select tests.update_one('duration_minutes = duration_minutes');
select is_empty('select tests.logged()', 'CL-06 nor does an update that changes nothing');
select tests.update_one('duration_minutes = 90');
select results_eq('select tests.logged()', array['A ola talk 2026-03-10 0 30 0 0'],
    'CL-07 a longer duration logs the difference');
select tests.update_one('participant_count = 1');
select results_eq('select tests.logged()', array['A ola talk 2026-03-10 0 0 -2 0'],
    'CL-08 fewer participants log it as negative');
select tests.update_one($$ unit_id = tests.id('nord/B'), occurred_at = '2026-04-01 00:00Z' $$);
select results_eq(
    'select tests.logged()',
    array['A ola talk 2026-03-10 -1 -90 -1 0', 'B ola talk 2026-04-01 1 90 1 0'],
    'CL-09 a move to another chapter and day logs both sides');
select tests.update_one($$ activity_type_id = tests.id('nord/visit') $$);
select results_eq(
    'select tests.logged()',
    array['B ola talk 2026-04-01 -1 -90 -1 0', 'B ola visit 2026-04-01 1 90 1 0'],
    'CL-10 so does another type');
select tests.update_one($$ peer_mentor_id = tests.id('nord/liv'), is_proxy_registered = true $$);
select results_eq(
    'select tests.logged()',
    array['B liv visit 2026-04-01 1 90 1 0', 'B ola visit 2026-04-01 -1 -90 -1 0'],
    'CL-11 and another peer mentor');
select tests.update_one($$ status = 'rejected' $$);
select results_eq('select tests.logged()', array['B liv visit 2026-04-01 -1 -90 -1 0'],
    'CL-12 a rejection takes away');
select tests.update_one($$ status = 'draft', duration_minutes = 15 $$);
select is_empty('select tests.logged()', 'CL-13 between what does not count nothing is logged');
select tests.update_one($$ status = 'registered' $$);
select results_eq('select tests.logged()', array['B liv visit 2026-04-01 1 15 1 0'],
    'CL-14 registering adds what it is by then');
update public.activities
set unit_id = tests.id('nord/C')
where organization_id = tests.id('nord')
  and unit_id = tests.id('nord/A')
  and duration_minutes in (10, 30);
select results_eq(
    $$ select chapter, sum(activities)::bigint, sum(minutes)::bigint
       from tests.changes()
       group by chapter
       order by chapter $$,
    $$ values ('A', -104::bigint, -1120::bigint), ('C', 104, 1120) $$,
    'CL-15 many rows moved at once are two sums');
update public.activities set duration_minutes = duration_minutes where false;
select is_empty('select tests.logged()', 'CL-16 an update of no row logs nothing');

-- ---------------------------------------------------------------- both at once

insert into public.activities
    (id, organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id, occurred_at,
     duration_minutes)
select tests.id(name), tests.id('nord'), tests.id('nord/C'), tests.id('nord/cato'),
       tests.id('nord/cato'), tests.id('nord/talk'), '2026-05-01 09:00Z', minutes
from (values ('up 1', 10), ('up 2', 20)) x (name, minutes);
select results_eq('select tests.logged()', array['C cato talk 2026-05-01 2 30 2 0'],
    'CL-17 two new ones');
insert into public.activities
    (id, organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id, occurred_at,
     duration_minutes)
select tests.id(name), tests.id('nord'), tests.id('nord/C'), tests.id('nord/cato'),
       tests.id('nord/cato'), tests.id('nord/talk'), '2026-05-01 09:00Z', minutes
from (values ('up 2', 25), ('up 3', 30)) x (name, minutes)
on conflict (id) do update set duration_minutes = excluded.duration_minutes;
select results_eq(
    'select tests.logged()',
    array['C cato talk 2026-05-01 0 5 0 0', 'C cato talk 2026-05-01 1 30 1 0'],
    'CL-18 an upsert logs what it changed and what it added');
insert into public.activities
    (id, organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id, occurred_at,
     duration_minutes)
select tests.id('up 1'), tests.id('nord'), tests.id('nord/C'), tests.id('nord/cato'),
       tests.id('nord/cato'), tests.id('nord/talk'), '2026-05-01 09:00Z', 999
on conflict do nothing;
select is_empty('select tests.logged()', 'CL-19 what a conflict kept out is not logged');
merge into public.activities a
using (values (tests.id('up 1'), 0), (tests.id('up 2'), 100), (tests.id('up 4'), 40))
    m (id, minutes)
    on a.id = m.id
when matched and m.minutes = 0 then
    delete
when matched then
    update set duration_minutes = m.minutes
when not matched then
    insert (id, organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id,
            occurred_at, duration_minutes)
    values (m.id, tests.id('nord'), tests.id('nord/C'), tests.id('nord/cato'),
            tests.id('nord/cato'), tests.id('nord/talk'), '2026-05-01 09:00Z', m.minutes);
select results_eq(
    'select tests.logged()',
    array[
        'C cato talk 2026-05-01 -1 -10 -1 0', 'C cato talk 2026-05-01 0 75 0 0',
        'C cato talk 2026-05-01 1 40 1 0'],
    'CL-20 a MERGE logs its deletes, updates and inserts');
with moved as (delete from public.activities where id = tests.id('up 3') returning *)
insert into public.activities
    (id, organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id, occurred_at,
     duration_minutes)
select id, organization_id, tests.id('nord/B'), peer_mentor_id, registered_by, activity_type_id,
       occurred_at, duration_minutes
from moved
where false;
select results_eq('select tests.logged()', array['C cato talk 2026-05-01 -1 -30 -1 0'],
    'CL-21 so does a statement within a statement');

-- ---------------------------------------------------------------- expenses

insert into public.expense_claims (id, activity_id, amount_nok, organization_id)
values (tests.id('claim'), tests.id('up 2'), 250.50, tests.id('nord'));
select is_empty('select tests.logged()', 'CL-22 a claim alone changes no statistic');
update public.expense_claims set status = 'approved' where id = tests.id('claim');
select results_eq('select tests.logged()', array['C cato talk 2026-05-01 0 0 0 250.5'],
    'CL-23 its approval does');
update public.expense_claims set status = 'rejected' where id = tests.id('claim');
select results_eq('select tests.logged()', array['C cato talk 2026-05-01 0 0 0 -250.5'],
    'CL-24 as does taking it back');
delete from public.expense_claims where id = tests.id('claim');
select is_empty('select tests.logged()', 'CL-25 and deleting it then does not');

-- ---------------------------------------------------------------- deletes

delete from public.activities where id in (tests.id('up 2'), tests.id('up 4'), tests.id('mixed 5'));
select results_eq('select tests.logged()', array['C cato talk 2026-05-01 -2 -140 -2 0'],
    'CL-26 a DELETE takes away what counted');
select throws_ok(
    'truncate public.activities cascade',
    '0A000', 'activities cannot be truncated: the statistics could not follow',
    'CL-27 TRUNCATE is refused');
savepoint before;
select tests.add_activity();
rollback to before;
select is_empty('select tests.logged()', 'CL-28 what is rolled back was never logged');
select is(
    (select sum(c.activity_count)
     from stats.activity_changes c
     where c.organization_id = tests.id('nord')),
    null,
    'CL-28 and nothing is left over');

select * from finish();
rollback;
