-- AH: what activities were before: every change of what is counted, by whom; no text, no contact.
begin;
\ir helpers.psql
select plan(28);

create function tests.history()
    returns table (activity text, operation text, by text, changed jsonb) language sql as $$
    select (select n from unnest('{a,b}'::text[]) n where tests.id(n) = h.activity_id),
           h.operation,
           (select p.display_name from public.profiles p where p.id = h.changed_by),
           (select jsonb_object_agg(e.key, jsonb_build_array(e.value, h.after -> e.key))
            from jsonb_each(h.before) e
            where e.value is distinct from h.after -> e.key and h.after is not null)
    from public.activity_history h
    where h.organization_id = tests.id('nord')
    order by h.id
$$;
create function tests.last() returns text language sql as $$
    select format('%s %s by %s: %s', t.activity, t.operation, coalesce(t.by, 'nobody'), t.changed)
    from tests.history() with ordinality t order by t.ordinality desc limit 1
$$;
create function tests.entries() returns bigint language sql as $$
    select count(*) from tests.history()
$$;
grant execute on all functions in schema tests to public;

select tests.add_activity('nord/ola', 'nord/A', p_name => 'a', p_at => '2026-03-10 12:00Z');
select tests.add_activity('nord/cato', 'nord/C', p_name => 'b');
select is(tests.entries(), 0::bigint, 'AH-01 an insert writes no history');

select tests.act_as('nord/ola');
update public.activities set duration_minutes = 90 where id = tests.id('a');
select tests.act_as_owner();
select is(tests.last(), 'a update by nord/ola: {"duration_minutes": [60, 90]}',
    'AH-02 a change says what was before, what came after, and who did it');
update public.activities set summary = 'Told me a secret' where id = tests.id('a');
update public.activities set contact_id = tests.id('a contact') where id = tests.id('a');
select is(tests.entries(), 1::bigint, 'AH-03 a text or a contact is none of it');
update public.activities set duration_minutes = 90 where id = tests.id('a');
select is(tests.entries(), 1::bigint, 'AH-04 nor is what stays as it was');
update public.activities set occurred_at = '2026-03-12 12:00Z' where id = tests.id('a');
select is(
    (select array(select jsonb_object_keys(changed) order by 1) from tests.history() offset 1),
    array['activity_date', 'occurred_at'], 'AH-05 with the moment goes the day');
update public.activities set status = 'rejected' where id = tests.id('a');
select is(tests.last(),
    'a update by nobody: {"status": ["registered", "rejected"], "is_counted": [true, false], '
    '"not_counted_because": [null, "rejected"]}', 'AH-06 with the status, whether it counts');
update public.activities set status = 'registered' where id = tests.id('a');
insert into public.expense_claims (id, organization_id, activity_id, amount_nok)
values (tests.id('claim'), tests.id('nord'), tests.id('a'), 250);
select tests.act_as('nord/kari');
update public.expense_claims set status = 'approved' where id = tests.id('claim');
select tests.act_as_owner();
select is(tests.last(), 'a update by nord/kari: {"approved_expenses_nok": [0.00, 250.00]}',
    'AH-07 an expense that is approved is a change of its activity');

insert into public.counting_rules
    (organization_id, activity_type_id, valid_from, min_duration_minutes, source)
values (tests.id('nord'), tests.id('nord/talk'), '2026-01-01', 61, 'the tests');
select is(tests.last(),
    'b update by nobody: {"is_counted": [true, false], "not_counted_because": [null, "too_short"]}',
    'AH-08 a rule that changes is in the history of what it changes');
update public.organization_settings set time_zone = 'Pacific/Auckland'
where organization_id = tests.id('nord');
select is((select count(*) from tests.history() where changed ? 'activity_date'), 3::bigint,
    'AH-09 so is a time zone');

update public.activities set duration_minutes = duration_minutes + 1
where organization_id = tests.id('nord');
select is((select count(*) from tests.history() where changed ? 'duration_minutes'), 3::bigint,
    'AH-10 a statement about many has an entry for each');
delete from public.activities where id = tests.id('b');
select is(tests.last(), 'b delete by nobody: ', 'AH-11 a deletion is kept');
select is(
    (select h.before - '{inserted_at,insert_number}'::text[]
     from public.activity_history h where h.after is null
       and h.activity_id = tests.id('b')),
    jsonb_build_object(
        'unit_id', tests.id('nord/C'), 'peer_mentor_id', tests.id('nord/cato'),
        'coordinator_id', tests.id('nord/cora'), 'activity_type_id', tests.id('nord/talk'),
        'occurred_at', timestamptz '2026-03-10 12:00Z', 'activity_date', '2026-03-11',
        'duration_minutes', 61, 'participant_count', 1, 'is_proxy_registered', false,
        'status', 'registered', 'duplicate_of', null, 'is_counted', true,
        'not_counted_because', null,
        'approved_expenses_nok', 0.00),
    'AH-11 with all that was counted, and nothing else');
savepoint before;
update public.activities set duration_minutes = 5 where id = tests.id('a');
rollback to before;
select is(tests.last(), 'b delete by nobody: ', 'AH-12 what is rolled back was never changed');

-- ---------------------------------------------------------------- append-only, and who reads it

select throws_ok(
    'update public.activity_history set changed_by = null where true',
    '42501', 'activity_history is append-only', 'AH-13 nobody changes it');
select throws_ok(
    'delete from public.activity_history where true',
    '42501', 'activity_history is append-only', 'AH-13 nor deletes from it');
select throws_ok(
    'truncate public.activity_history',
    '42501', 'activity_history is append-only', 'AH-13 nor empties it, not even the owner');
create function tests.read() returns setof uuid language sql as $$
    select distinct activity_id from public.activity_history
$$;
grant execute on function tests.read() to public;
select tests.act_as('nord/ola');
select is_empty('select tests.read()', 'AH-14 a peer mentor reads none');
select tests.act_as('nord/kari');
select results_eq('select tests.read()', array[tests.id('a')],
    'AH-15 a coordinator that of their chapters');
select tests.act_as('nord/anne');
select set_eq('select tests.read()', array[tests.id('a'), tests.id('b')],
    'AH-16 an org admin all of the organisation''s');
select tests.act_as('sor/siri');
select is_empty('select tests.read()', 'AH-17 and of no other');
select tests.act_as_role('anon');
select throws_ok('select * from public.activity_history', '42501',
    'permission denied for table activity_history', 'AH-18 anon is refused');
select tests.act_as('nord/anne');
select throws_ok(
    $$ insert into public.activity_history (activity_id, organization_id, operation, before)
       values (tests.id('a'), tests.id('nord'), 'delete', '{}') $$,
    '42501', 'permission denied for table activity_history', 'AH-19 nobody writes it');
select tests.act_as_owner();

-- ---------------------------------------------------------------- as it was

create function tests.as_of(p_moment timestamptz) returns setof text language sql as $$
    select format('%s %s min %s', case a.activity_id when tests.id('a') then 'a'
                                      when tests.id('b') then 'b' else 'another' end,
                  a.facts ->> 'duration_minutes',
                  coalesce(a.facts ->> 'not_counted_because', 'counts'))
    from stats.activities_as_of(tests.id('nord'), p_moment) a
    order by 1
$$;
create function tests.moment_of(p_n integer) returns timestamptz language sql as $$
    select h.changed_at from public.activity_history h where h.organization_id = tests.id('nord')
    order by h.id offset p_n - 1 limit 1
$$;
select is_empty(
    $$ select tests.as_of((select min(a.inserted_at) from public.activities a
                           where a.id = tests.id('a')) - interval '1 microsecond') $$,
    'AH-20 before they came, there were none');
select results_eq(
    $$ select tests.as_of(tests.moment_of(1) - interval '1 microsecond') $$,
    array['a 60 min counts', 'b 60 min counts'], 'AH-21 before the first change, as they came');
select results_eq($$ select tests.as_of(tests.moment_of(1)) $$,
    array['a 90 min counts', 'b 60 min counts'], 'AH-22 and after it, changed');
select results_eq($$ select tests.as_of(tests.moment_of(3)) $$,
    array['a 90 min rejected', 'b 60 min counts'], 'AH-22 step by step');
select results_eq($$ select tests.as_of(tests.moment_of(6)) $$,
    array['a 90 min counts', 'b 60 min too_short'], 'AH-22 step by step');
select results_eq($$ select tests.as_of(clock_timestamp()) $$,
    array['a 91 min counts'], 'AH-23 now, what is there');

select * from finish();
rollback;
