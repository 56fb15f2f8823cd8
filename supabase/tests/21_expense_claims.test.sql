-- EX: who claims, sees, decides on and withdraws expenses.
begin;
\ir helpers.psql
select plan(49);

select tests.add_activity('nord/ola', 'nord/A', p_name => 'a');
select tests.add_activity('nord/cato', 'nord/C', p_name => 'c');
select tests.add_activity('sor/sol', 'sor/S', p_name => 's');

create function tests.claim(p_name text, p_activity text, p_amount numeric default 250)
    returns void language sql as $$
    insert into public.expense_claims (id, activity_id, amount_nok)
    values (tests.id(p_name), tests.id(p_activity), p_amount);
$$;
create function tests.decide(p_name text, p_status text) returns text language sql as $$
    select format(
        'update public.expense_claims set status = %L where id = %L returning id',
        p_status,
        tests.id(p_name));
$$;
grant execute on function tests.claim(text, text, numeric), tests.decide(text, text) to public;

-- ---------------------------------------------------------------- claiming

select tests.act_as('nord/ola');
select lives_ok($$ select tests.claim('ola 1', 'a') $$,
    'EX-01 a peer mentor claims expenses of their own activity');
select lives_ok($$ select tests.claim('ola 2', 'a') $$, 'EX-01 more than once');
select results_eq(
    $$ select organization_id, status::text, decided_at, decided_by
       from public.expense_claims
       where id = tests.id('ola 1') $$,
    $$ values (tests.id('nord'), 'pending', null::timestamptz, null::uuid) $$,
    'EX-02 it is of the activity''s organisation, and pending');
select throws_ok(
    $$ select tests.claim('not mine', 'c') $$,
    '42501', 'new row violates row-level security policy for table "expense_claims"',
    'EX-03 of nobody else''s activity');
select throws_ok(
    $$ select tests.claim('foreign', 's') $$,
    '42501', 'new row violates row-level security policy for table "expense_claims"',
    'EX-04 nor of another organisation''s');
select throws_ok(
    $$ select tests.claim('of nothing', 'nothing') $$,
    '23503', 'the activity does not exist',
    'EX-05 nor of none');
select throws_ok(
    $$ select tests.claim('nothing', 'a', 0) $$,
    '23514',
    'new row for relation "expense_claims" violates check constraint '
    '"expense_claims_amount_nok_check"',
    'EX-06 nor of nothing');
select throws_ok(
    $$ insert into public.expense_claims (activity_id, amount_nok, status)
       values (tests.id('a'), 100, 'approved') $$,
    '42501', 'permission denied for table expense_claims',
    'EX-07 nor an approved one');
select tests.act_as('nord/cato');
select lives_ok($$ select tests.claim('cato', 'c') $$, 'EX-08 cato claims in C');

-- ---------------------------------------------------------------- seeing

select results_eq($$ select id from public.expense_claims $$, $$ values (tests.id('cato')) $$,
    'EX-09 a peer mentor sees their own');
select tests.act_as('nord/kari');
select set_eq(
    $$ select id from public.expense_claims $$,
    array[tests.id('ola 1'), tests.id('ola 2')],
    'EX-10 a coordinator those of their chapters');
select tests.act_as('nord/anne');
select is((select count(*) from public.expense_claims), 3::bigint,
    'EX-11 an org admin the organisation''s');
select tests.act_as('sor/siri');
select is_empty($$ select id from public.expense_claims $$, 'EX-12 nobody another organisation''s');
select tests.act_as('nord/ina');
select is_empty($$ select id from public.expense_claims $$, 'EX-13 whoever is inactive none');
select tests.act_as_role('anon');
select throws_ok(
    $$ select id from public.expense_claims $$,
    '42501', 'permission denied for table expense_claims',
    'EX-14 anon is refused');

-- ---------------------------------------------------------------- deciding

select tests.act_as('nord/ola');
select is_empty(tests.decide('ola 1', 'approved'),
    'EX-15 nobody approves their own as a peer mentor');
select tests.act_as('nord/kari');
select is_empty(tests.decide('cato', 'approved'), 'EX-16 a coordinator does not decide in C');
select isnt_empty(tests.decide('ola 1', 'approved'), 'EX-17 but in A');
select results_eq(
    $$ select decided_at is not null, decided_by
       from public.expense_claims
       where id = tests.id('ola 1') $$,
    $$ values (true, tests.id('nord/kari')) $$,
    'EX-18 and is on record with it');
select throws_ok(
    $$ update public.expense_claims
       set decided_by = tests.id('nord/anne')
       where id = tests.id('ola 1') $$,
    '42501', 'permission denied for table expense_claims',
    'EX-19 under no other name');
select throws_ok(
    $$ update public.expense_claims set amount_nok = 1 where id = tests.id('ola 1') $$,
    '42501', 'permission denied for table expense_claims',
    'EX-20 the amount is not the coordinator''s to change');
select isnt_empty(tests.decide('ola 1', 'pending'), 'EX-21 a decision can be taken back');
select results_eq(
    $$ select decided_at, decided_by from public.expense_claims where id = tests.id('ola 1') $$,
    $$ values (null::timestamptz, null::uuid) $$,
    'EX-21 and is then none');
select isnt_empty(tests.decide('ola 1', 'rejected'), 'EX-22 or become another');
select tests.act_as('nord/anne');
select isnt_empty(tests.decide('cato', 'approved'), 'EX-23 an org admin decides anywhere');
select tests.act_as('sor/siri');
select is_empty(tests.decide('cato', 'rejected'), 'EX-24 but not in another organisation');

select tests.act_as_owner();
select tests.add_activity('nord/kari', 'nord/A', p_name => 'k');
insert into public.expense_claims (id, activity_id, amount_nok)
values (tests.id('kari'), tests.id('k'), 100);
select tests.act_as('nord/kari');
select is_empty(tests.decide('kari', 'approved'),
    'EX-30 a coordinator does not decide on their own either');
select tests.act_as('nord/anne');
select isnt_empty(tests.decide('kari', 'approved'), 'EX-30 somebody else does');

-- ---------------------------------------------------------------- withdrawing

select tests.act_as('nord/kari');
select is_empty($$ delete from public.expense_claims where id = tests.id('ola 2') returning id $$,
    'EX-25 a coordinator withdraws nothing');
select tests.act_as('nord/ola');
select is_empty($$ delete from public.expense_claims where id = tests.id('ola 1') returning id $$,
    'EX-26 what is decided stays');
select isnt_empty($$ delete from public.expense_claims where id = tests.id('ola 2') returning id $$,
    'EX-27 what is pending may be withdrawn');
select throws_ok(
    $$ delete from public.activities where id = tests.id('a') $$,
    '23503',
    'update or delete on table "activities" violates foreign key constraint '
    '"expense_claims_activity_id_fkey" on table "expense_claims"',
    'EX-28 an activity with expenses cannot be deleted');
select tests.act_as_owner();
select throws_ok(
    $$ update public.expense_claims set decided_at = null where id = tests.id('cato') $$,
    '23514',
    'new row for relation "expense_claims" violates check constraint '
    '"expense_claims_decision_is_complete"',
    'EX-29 a decision has a date');

-- -------------------------------------------------------------- numbers that are none, and the sum

create function tests.sum_of(p_activity text default 'a') returns text language sql as
    $$ select approved_expenses_nok::text from public.activities where id = tests.id(p_activity) $$;
grant execute on function tests.sum_of(text) to public;
select tests.act_as('nord/ola');
select throws_ok($$ select tests.claim('none', 'a', 'NaN') $$, '23514',
    'new row for relation "expense_claims" violates check constraint '
        '"expense_claims_amount_nok_check"', 'EX-31 NaN kroner are refused');
select throws_ok(format($$ select tests.claim('none', 'a', %L) $$, n), '22003',
    'numeric field overflow', 'EX-31 so are ' || n)
from unnest('{Infinity,-Infinity,10000000000}'::text[]) n;
select throws_ok($$ select tests.claim('none', 'a', 1000000.01) $$, '23514',
    'new row for relation "expense_claims" violates check constraint '
        '"expense_claims_amount_nok_check"', 'EX-31 nor more than a million');
select lives_ok($$ select tests.claim('most', 'a', 1000000) $$, 'EX-31 while a sum is a sum');
select tests.act_as_owner();
select throws_ok($$ update public.activities set approved_expenses_nok = 'NaN'
    where id = tests.id('a') $$, '23514',
    'new row for relation "activities" violates check constraint '
        '"activities_approved_expenses_nok_check"', 'EX-32 not even the owner writes NaN');
delete from public.expense_claims where activity_id = tests.id('a');
select is(tests.sum_of(), '0.00', 'EX-33 nothing claimed, nothing summed');
insert into public.expense_claims (id, activity_id, amount_nok) values (tests.id('x'),
    tests.id('a'), 100), (tests.id('y'), tests.id('a'), 50.5), (tests.id('z'), tests.id('c'), 7);
select is(tests.sum_of(), '0.00', 'EX-33 nothing approved, either');
update public.expense_claims set status = 'approved' where id in (tests.id('x'), tests.id('y'));
select is(tests.sum_of(), '150.50', 'EX-33 several approved at once');
update public.expense_claims set status = 'rejected' where id = tests.id('x');
select is(tests.sum_of(), '50.50', 'EX-33 one taken back');
update public.expense_claims set amount_nok = 60 where id = tests.id('y');
select is(tests.sum_of(), '60.00', 'EX-33 one changed');
select is(tests.sum_of('c'), '250.00', 'EX-33 (another activity has its own)');
update public.expense_claims set activity_id = tests.id('c') where id = tests.id('y');
select is(tests.sum_of() || ' ' || tests.sum_of('c'), '0.00 310.00', 'EX-33 one moved');
delete from public.expense_claims where id = tests.id('y');
select is(tests.sum_of('c'), '250.00', 'EX-33 one deleted');
update public.activities set approved_expenses_nok = 999 where id in (tests.id('a'), tests.id('c'));
update public.expense_claims set status = 'approved' where id in (tests.id('x'), tests.id('z'));
select is(tests.sum_of() || ' ' || tests.sum_of('c'), '100.00 257.00',
    'EX-34 what was wrong before does not stay in the sum');

select * from finish();
rollback;
