-- DU: what was registered more than once: listed for who follows it up, resolved, counted once.
begin;
\ir helpers.psql
select plan(64);
insert into public.activity_types (id, organization_id, code, label)
values (tests.id('nord/group'), tests.id('nord'), 'group', 'Group');
create table tests.names (id uuid primary key, name text);
grant select, insert on tests.names to public;

-- At an hour of a day of their own, so that nothing else looks like it.
create function tests.meet(
    p_name text, p_mentor text default 'nord/ola', p_at text default '2026-03-10 12:00Z',
    p_minutes integer default 60, p_by text default null, p_contact text default null,
    p_type text default 'nord/talk', p_participants integer default 1,
    p_unit text default 'nord/A')
    returns void language sql as $$
    insert into tests.names values (tests.id(p_name), p_name);
    select tests.add_activity(p_mentor, p_unit, p_at::timestamptz, p_minutes, p_name => p_name,
                              p_by => p_by, p_type => p_type, p_participants => p_participants);
    update public.activities set contact_id = tests.id(p_contact)
    where id = tests.id(p_name) and p_contact is not null;
$$;
create function tests.pairs() returns setof text language sql as $$
    select format('%s = %s: %s', a.name, b.name, p.reason)
    from public.possible_duplicates p
    join tests.names a on a.id = p.activity_id
    join tests.names b on b.id = p.other_id
    order by 1
$$;
create function tests.mark(p_name text, p_original text) returns text language sql as $$
    select format('update public.activities set duplicate_of = %L where id = %L returning id',
                  tests.id(p_original), tests.id(p_name))
$$;
create function tests.differs(p_name text, p_other text) returns text language sql as $$
    select format('insert into public.not_duplicates (activity_id, other_id) values (%L, %L)',
                  tests.id(p_name), tests.id(p_other))
$$;
create function tests.reason(p_name text) returns text language sql as $$
    select not_counted_because from public.activities where id = tests.id(p_name)
$$;
grant execute on all functions in schema tests to public;

-- ---------------------------------------------------------------- what looks like one

select tests.meet('one'), tests.meet('once more', p_at => '2026-03-10 12:59Z');
select set_eq('select tests.pairs()', array['once more = one: same_peer_mentor'],
    'DU-01 the same peer mentor, type, day and time');
select tests.meet('later', p_at => '2026-03-10 13:59Z');
select is((select count(*) from tests.pairs()), 1::bigint,
    'DU-02 not what begins when the other has ended');
select tests.meet('visit', p_type => 'nord/visit'), tests.meet('draft');
update public.activities set status = 'draft' where id = tests.id('draft');
select is((select count(*) from tests.pairs()), 1::bigint,
    'DU-03 nor another type, nor what does not count');
select tests.meet('elsewhere', 'nord/liv', '2026-04-01 10:00Z', p_unit => 'nord/A'),
       tests.meet('also elsewhere', 'nord/liv', '2026-04-01 10:00Z', p_unit => 'nord/B');
select set_eq('select tests.pairs()',
    array['once more = one: same_peer_mentor', 'also elsewhere = elsewhere: same_peer_mentor'],
    'DU-04 nobody is in two chapters at a time');
select tests.meet('direct', p_at => '2026-05-01 10:00Z', p_contact => 'X'),
       tests.meet('proxy', p_at => '2026-05-01 18:00Z', p_contact => 'X', p_by => 'nord/kari'),
       tests.meet('again direct', 'nord/liv', p_at => '2026-05-01 21:00Z', p_contact => 'X'),
       tests.meet('other contact', p_at => '2026-05-01 14:00Z', p_contact => 'Y',
                  p_by => 'nord/kari');
select set_eq('select tests.pairs()',
    array['once more = one: same_peer_mentor', 'also elsewhere = elsewhere: same_peer_mentor',
          'proxy = direct: direct_and_proxy', 'again direct = proxy: direct_and_proxy'],
    'DU-05 a contact who was met directly and by proxy on a day, whenever and by whom');
select tests.meet('both', p_at => '2026-05-02 10:00Z', p_contact => 'X'),
       tests.meet('both by proxy', p_at => '2026-05-02 10:30Z', p_contact => 'X',
                  p_by => 'nord/kari');
select set_eq($$ select p from tests.pairs() p where p like 'both%' $$,
    array['both by proxy = both: same_peer_mentor'], 'DU-06 a pair stands there once');
select tests.meet('group', p_at => '2026-06-01 10:00Z', p_type => 'nord/group',
                  p_participants => 8),
       tests.meet('group of liv', 'nord/liv', '2026-06-01 10:30Z', p_type => 'nord/group',
                  p_participants => 7),
       tests.meet('talk of ola', p_at => '2026-06-02 10:00Z'),
       tests.meet('talk of liv', 'nord/liv', '2026-06-02 10:00Z'),
       tests.meet('pair of ola', p_at => '2026-06-03 10:00Z', p_contact => 'Z'),
       tests.meet('pair of liv', 'nord/liv', '2026-06-03 10:00Z', p_contact => 'Z');
select set_eq($$ select p from tests.pairs() p where p ~ '^(group|talk|pair)' $$,
    array['group of liv = group: same_event', 'pair of liv = pair of ola: same_event'],
    'DU-07 an event of several, or with one contact, by two people; not two talks');

-- ---------------------------------------------------------------- for whom

select tests.act_as('nord/kari');
select is((select count(*) from tests.pairs()), 7::bigint,
    'DU-08 who follows up A and B sees all of it');
select tests.act_as('nord/anne');
select is((select count(*) from tests.pairs()), 7::bigint, 'DU-08 so does the org admin');
select tests.act_as('nord/ola');
select set_eq('select tests.pairs()',
    array['once more = one: same_peer_mentor', 'proxy = direct: direct_and_proxy',
          'both by proxy = both: same_peer_mentor'],
    'DU-09 a peer mentor sees their own');
select tests.act_as('nord/cora');
select is_empty('select tests.pairs()', 'DU-10 who follows up C sees nothing of it');
select tests.act_as('sor/siri');
select is_empty('select tests.pairs()', 'DU-10 nor does another organisation');
select tests.act_as_role('anon');
select throws_ok('select * from public.possible_duplicates',
    '42501', 'permission denied for view possible_duplicates', 'DU-10 nor anybody else');
select tests.act_as_owner();
delete from public.chapter_assignments
where profile_id = tests.id('nord/kari') and unit_id = tests.id('nord/B');
select tests.act_as('nord/kari');
select is_empty($$ select p from tests.pairs() p where p like '%elsewhere%' $$,
    'DU-11 of two chapters only who follows up both');
select is_empty(tests.mark('also elsewhere', 'elsewhere'),
    'DU-11 and decides');
select throws_ok(tests.mark('elsewhere', 'also elsewhere'),
    '42501', 'the original is not among the activities that you follow up',
    'DU-11 and decides, whichever is the original');
select tests.act_as_owner();
insert into public.chapter_assignments (profile_id, unit_id, organization_id)
values (tests.id('nord/kari'), tests.id('nord/B'), tests.id('nord'));

-- ---------------------------------------------------------------- it is one

select tests.act_as('nord/ola');
select throws_ok(tests.mark('once more', 'one'),
    '42501', 'only who follows up the chapter decides on duplicates',
    'DU-12 a peer mentor does not decide');
select tests.act_as('nord/cora');
select is_empty(tests.mark('once more', 'one'), 'DU-12 nor does another chapter''s coordinator');
select tests.act_as('nord/kari');
create temporary table before on commit drop as
    select activity_count, total_hours from public.chapter_stats
    where chapter_id = tests.id('nord/A');
select isnt_empty(tests.mark('once more', 'one'), 'DU-13 the chapter''s does');
select results_eq(
    $$ select activity_count, total_hours from public.chapter_stats
       where chapter_id = tests.id('nord/A') $$,
    $$ select activity_count - 1, total_hours - 1 from before $$,
    'DU-14 and it counts once');
select is(tests.reason('once more'), 'duplicate', 'DU-14 which the app can say');
select is_empty($$ select p from tests.pairs() p where p like 'once more%' $$,
    'DU-15 it is resolved');
select throws_ok(tests.mark('one', 'once more'),
    '23514', 'the original is itself a duplicate', 'DU-16 two do not name each other');
select throws_ok(tests.mark('later', 'once more'),
    '23514', 'the original is itself a duplicate', 'DU-16 nor is there a chain');
select throws_ok(tests.mark('one', 'later'),
    '23514', 'other activities are duplicates of this one', 'DU-17 from either end');
select isnt_empty(tests.mark('later', 'one'), 'DU-17 all name the one that counts');
select throws_ok(tests.mark('visit', 'draft'),
    '23514', 'the original does not count', 'DU-18 which does count');
select throws_ok(tests.mark('visit', 'nothing'),
    '42501', 'the original is not among the activities that you follow up',
    'DU-18 and is there');
select throws_ok(tests.mark('visit', 'visit'),
    '23514', 'new row for relation "activities" violates check constraint '
    '"activities_check"', 'DU-18 and is another');
select throws_ok(
    $$ insert into public.activities (unit_id, activity_type_id, occurred_at, duration_minutes,
                                      duplicate_of)
       values (tests.id('nord/A'), tests.id('nord/talk'), '2026-03-01Z', 30, tests.id('one')) $$,
    '42501', 'permission denied for table activities', 'DU-19 nothing is born as a duplicate');
select tests.act_as('nord/ola');
select throws_ok(
    format('update public.activities set duplicate_of = null where id = %L',
           tests.id('once more')),
    '42501', 'only who follows up the chapter decides on duplicates',
    'DU-20 a peer mentor does not undo it');
select isnt_empty(
    $$ update public.activities set duration_minutes = 50 where id = tests.id('once more')
       returning id $$,
    'DU-20 but corrects what it says');
select is(tests.reason('once more'), 'duplicate', 'DU-20 and it stays a duplicate');
select tests.act_as('nord/kari');
select isnt_empty(
    format('update public.activities set duplicate_of = null where id = %L returning id',
           tests.id('later')),
    'DU-21 who decided may decide otherwise');
select is(tests.reason('later'), null, 'DU-21 and it counts again');
select isnt_empty(tests.mark('later', 'one'), 'DU-21 and back');
select tests.act_as_owner();
select results_eq(
    $$ select p.display_name, h.after ->> 'duplicate_of' from public.activity_history h
       join public.profiles p on p.id = h.changed_by
       where h.activity_id = tests.id('later') order by h.id $$,
    $$ values ('nord/kari', tests.id('one')::text), ('nord/kari', null),
              ('nord/kari', tests.id('one')::text) $$,
    'DU-22 who decided, and when, is in the history');

-- ---------------------------------------------------------------- the original goes

select is(array[tests.reason('one'), tests.reason('once more'), tests.reason('later')],
    array[null, 'duplicate', 'duplicate'], 'DU-23 (one counts, the others do not)');
select tests.act_as('nord/ola');
update public.activities set status = 'draft' where id = tests.id('one');
select tests.act_as_owner();
select is(array[tests.reason('one'), tests.reason('once more'), tests.reason('later')],
    array['draft', null, 'duplicate'],
    'DU-24 made a draft, another takes its place, and only one');
select tests.act_as('nord/ola');
update public.activities set status = 'registered' where id = tests.id('one');
select tests.act_as_owner();
select is(array[tests.reason('one'), tests.reason('once more'), tests.reason('later')],
    array['duplicate', null, 'duplicate'], 'DU-25 registered again, it still counts once');
select tests.act_as('nord/ola');
delete from public.activities where id = tests.id('once more');
select tests.act_as_owner();
select is(array[tests.reason('one'), tests.reason('later')], array[null, 'duplicate'],
    'DU-26 deleted, another takes its place');
update public.activities set status = 'rejected' where id in (tests.id('one'), tests.id('later'));
select is(array[tests.reason('one'), tests.reason('later')], array['rejected', 'rejected'],
    'DU-27 all rejected, none counts');
update public.activities set status = 'registered' where id = tests.id('later');
select is(array[tests.reason('one'), tests.reason('later')], array['rejected', null],
    'DU-28 whichever is registered counts');
update public.activities set status = 'registered' where id = tests.id('one');
select is(array[tests.reason('one'), tests.reason('later')], array['duplicate', null],
    'DU-28 whichever is registered counts, and the other does not');
select lives_ok(
    $$ delete from public.activities where id in (tests.id('one'), tests.id('later')) $$,
    'DU-29 all of them may be deleted at once');
select results_eq(
    $$ select sum(activity_count) from stats.live_chapter_stats
       where organization_id = tests.id('nord') $$,
    $$ select count(*)::numeric from public.activities
       where is_counted and organization_id = tests.id('nord') $$,
    'DU-30 and every total has followed');

-- ---------------------------------------------------------------- it is not one

select tests.act_as('nord/kari');
select lives_ok(tests.differs('group', 'group of liv'), 'DU-31 who follows up both says so');
select is_empty($$ select p from tests.pairs() p where p like 'group%' $$,
    'DU-31 and it is resolved');
select results_eq(
    $$ select p.display_name, n.decided_at from public.not_duplicates n
       join public.profiles p on p.id = n.decided_by $$,
    $$ values ('nord/kari', now()) $$,
    'DU-32 with their name and the time');
select throws_ok(tests.differs('group of liv', 'group'),
    '23505', 'duplicate key value violates unique constraint "not_duplicates_pair_idx"',
    'DU-33 once, whichever is named first');
select throws_ok(
    $$ insert into public.not_duplicates (activity_id, other_id, decided_by)
       values (tests.id('proxy'), tests.id('direct'), tests.id('nord/anne')) $$,
    '42501', 'permission denied for table not_duplicates', 'DU-34 in their own name');
select tests.act_as('nord/ola');
select throws_ok(tests.differs('proxy', 'direct'),
    '42501', 'new row violates row-level security policy for table "not_duplicates"',
    'DU-35 a peer mentor does not');
select is_empty(
    $$ delete from public.not_duplicates where activity_id = tests.id('group') returning 1 $$,
    'DU-35 nor takes it back');
select tests.act_as('nord/cora');
select throws_ok(tests.differs('proxy', 'direct'),
    '42501', 'new row violates row-level security policy for table "not_duplicates"',
    'DU-36 nor does another chapter''s coordinator');
select is_empty('select * from public.not_duplicates', 'DU-36 who sees none of it');
select tests.act_as('sor/sven');
select throws_ok(tests.differs('proxy', 'direct'),
    '42501', 'new row violates row-level security policy for table "not_duplicates"',
    'DU-36 nor another organisation''s');
select tests.act_as('nord/anne');
select isnt_empty(
    $$ delete from public.not_duplicates where activity_id = tests.id('group') returning 1 $$,
    'DU-37 the org admin finds otherwise');
select isnt_empty($$ select p from tests.pairs() p where p like 'group%' $$,
    'DU-37 and it is open again');
select lives_ok(tests.differs('proxy', 'direct'), 'DU-38 the org admin decides, too');
select tests.act_as_owner();
delete from public.activities where id = tests.id('proxy');
select is_empty('select * from public.not_duplicates',
    'DU-39 with an activity goes what was found');

-- ---------------------------------------------------------------- an upsert's update

select tests.act_as('nord/ola');
select throws_ok(
    $$ update public.activities set peer_mentor_id = tests.id('nord/liv')
       where id = tests.id('direct') $$,
    '42501', 'whose an activity is, and who registered it, does not change',
    'DU-40 whose it is does not change');
select throws_ok(
    $$ update public.activities set id = tests.id('new') where id = tests.id('direct') $$,
    '42501', 'the id of an activity does not change', 'DU-40 nor its id');
select isnt_empty(
    $$ update public.activities
       set id = id, peer_mentor_id = peer_mentor_id, registered_by = registered_by,
           is_proxy_registered = is_proxy_registered, organization_id = organization_id
       where id = tests.id('direct') returning id $$,
    'DU-41 they may be named as they are');
select tests.act_as_owner();
select throws_ok(
    $$ update public.activities set id = tests.id('new') where id = tests.id('direct') $$,
    '42501', 'the id of an activity does not change', 'DU-42 the id not even by the owner');

select * from finish();
rollback;
