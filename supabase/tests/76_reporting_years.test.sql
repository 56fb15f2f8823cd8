-- RY: years that are locked: who locks and unlocks them, on record, and what is refused meanwhile.
begin;
\ir helpers.psql
select plan(36);
select tests.settle();

create function tests.refusal(p_sql text) returns text language plpgsql as $$
begin
    execute p_sql;
    return null;
exception when sqlstate 'PGRST' then
    return (sqlerrm::jsonb ->> 'code') || ': ' || (sqlerrm::jsonb ->> 'message');
end $$;
create function tests.lock_year(p_year integer default 2026) returns text language sql
    as $$ select tests.refusal(format('select public.lock_reporting_year(%s)', p_year)) $$;
create function tests.register(p_at text) returns text language sql as $$
    select tests.refusal(format('select tests.add_activity(p_at => %L)', p_at)) $$;
create function tests.change(p_change text, p_name text default 'one') returns text language sql
    as $$ select tests.refusal(format(
        'update public.activities set %s where id = tests.id(%L)', p_change, p_name)) $$;
create function tests.remove(p_name text) returns text language sql as $$
    select tests.refusal(format('delete from public.activities where id = tests.id(%L)', p_name))
$$;
create function tests.exists(p_name text) returns boolean language sql security definer
    as $$ select exists (select from public.activities a where a.id = tests.id(p_name)) $$;
grant execute on all functions in schema tests to public;
select tests.add_activity(p_name => 'one'), tests.add_activity(p_name => 'two'),
       tests.add_activity(p_name => 'old', p_at => '2025-12-30 12:00Z');
insert into public.expense_claims (id, organization_id, activity_id, amount_nok)
values (tests.id('claim'), tests.id('nord'), tests.id('two'), 100);
update public.activities set contact_id = tests.id('contact') where id = tests.id('one');

-- ---------------------------------------------------------------- who

select tests.act_as('nord/kari');
select throws_ok('select public.lock_reporting_year(2026)', '42501',
    'only org admins lock and unlock years', 'RY-01 a coordinator locks no year');
select throws_ok($$ select public.unlock_reporting_year(2026, 'Why') $$, '42501',
    'only org admins lock and unlock years', 'RY-01 and unlocks none');
select tests.act_as('nord/ola');
select throws_ok('select public.lock_reporting_year(2026)', '42501',
    'only org admins lock and unlock years', 'RY-01 nor does a peer mentor');
select tests.act_as_role('service_role');
select throws_ok('select public.lock_reporting_year(2026)', '42501',
    'permission denied for function lock_reporting_year', 'RY-01 nor the service role');
select tests.act_as('nord/anne');
select throws_ok('select public.lock_reporting_year(1999)', '22023',
    'the year must be between 2000 and 2099', 'RY-02 there are no such years');
select throws_ok($$ select public.unlock_reporting_year(2026, ' ') $$, '22023',
    'unlocking needs a reason of at most 500 characters', 'RY-02 unlocking needs a reason');
select is(tests.refusal($$ select public.unlock_reporting_year(2026, 'Why') $$),
    'not_locked: the year is not locked', 'RY-02 and a locked year');
select is_empty('select 1 from public.reporting_years', 'RY-02 of which there is none');
select is(tests.lock_year(), null, 'RY-03 an org admin locks');
select is(tests.lock_year(), 'conflict: the year is locked', 'RY-03 once');
select results_eq('select year, locked_by from public.reporting_years where locked_at is not null',
    $$ values (2026, tests.id('nord/anne')) $$, 'RY-03 on record');

-- ---------------------------------------------------------------- what is refused

select tests.act_as('nord/ola');
select is(tests.register('2026-03-10 12:00Z'), 'conflict: the year is locked',
    'RY-04 nothing is registered in a locked year');
select is(tests.register('2025-03-10 12:00Z'), null, 'RY-04 in others it is');
select is(tests.change('duration_minutes = 61'), 'conflict: the year is locked',
    'RY-05 nothing is changed');
select is(tests.change($$ summary = 'Else' $$), 'conflict: the year is locked',
    'RY-05 not even the text');
select is(tests.change($$ occurred_at = '2025-03-10 12:00Z' $$), 'conflict: the year is locked',
    'RY-05 or moved out of it');
select is(tests.change($$ occurred_at = '2026-03-10 12:00Z' $$, 'old'),
    'conflict: the year is locked', 'RY-05 or moved into it');
select is(tests.change('duration_minutes = 61', 'old'), null, 'RY-05 in others it is');
select is(tests.remove('one'), 'conflict: the year is locked', 'RY-06 nothing is removed');
select is(tests.remove('old'), null, 'RY-06 in others it is');
select ok(not tests.exists('old') and tests.exists('one'), 'RY-06 as said');
select tests.act_as('nord/kari');
select is(tests.change($$ status = 'rejected' $$), 'conflict: the year is locked',
    'RY-07 coordinators change nothing either');
select tests.act_as('sor/sol');
select is(tests.refusal($$ select tests.add_activity('sor/sol', 'sor/S') $$), null,
    'RY-08 another organisation is not concerned');
select tests.act_as_role('service_role');
select is(tests.change('duration_minutes = 62'), null, 'RY-09 the service may correct');
select tests.act_as('nord/anne');
select is(public.erase_contact(tests.id('contact')), '{"activities": 1}',
    'RY-10 people are erased in locked years, too');
select is(tests.refusal($$ update public.expense_claims set status = 'approved'
                           where id = tests.id('claim') $$), null,
    'RY-10 and expenses are settled');

-- ---------------------------------------------------------------- how it is reported

select is(tests.refusal($$ insert into public.bufdir_category_mappings
                               (mapping_version, activity_type_id, bufdir_category_code)
                           values (9, tests.id('nord/talk'), 'GROUP') $$), null,
    'RY-14 a mapping is prepared');
select is(tests.refusal($$ insert into public.bufdir_mapping_versions
                               (mapping_version, valid_from_year) values (9, 2026) $$),
    'conflict: the year is locked', 'RY-14 but not published for a locked year');
select is(tests.refusal($$ insert into public.bufdir_mapping_versions
                               (mapping_version, valid_from_year) values (9, 2025) $$),
    'conflict: the year is locked', 'RY-14 nor for one before, from which it would hold');
select is(tests.refusal($$ insert into public.bufdir_mapping_versions
                               (mapping_version, valid_from_year) values (9, 2027) $$), null,
    'RY-14 for later years it is');

-- ---------------------------------------------------------------- unlock

select is(tests.refusal($$ select public.unlock_reporting_year(2026, 'The auditor asked') $$), null,
    'RY-11 an org admin unlocks');
select results_eq(
    'select year, is_locked, changed_by, reason from public.reporting_year_log order by id',
    $$ values (2026, true, tests.id('nord/anne'), null),
              (2026, false, tests.id('nord/anne'), 'The auditor asked') $$,
    'RY-11 and both are on record, with the reason');
select tests.act_as('nord/ola');
select is(tests.change('duration_minutes = 61'), null, 'RY-12 then changes are let in');
select is_empty('select 1 from public.reporting_year_log', 'RY-12 peer mentors do not read why');
select tests.act_as_owner();
select throws_ok('delete from public.reporting_year_log where true', '42501',
    'reporting_year_log is append-only', 'RY-13 the record stays');
select tests.act_as('sor/siri');
select is_empty('select 1 from public.reporting_years union all '
    'select 1 from public.reporting_year_log', 'RY-13 within the organisation');

select * from finish();
rollback;
