-- PX: one person's data, for whom, and all of them.
begin;
\ir helpers.psql
select plan(26);

select tests.add_activity('nord/ola', 'nord/A', p_name => 'own'), tests.add_activity('nord/liv',
    'nord/A', p_name => 'of liv'), tests.add_activity('nord/ola', 'nord/A', p_name => 'by kari',
    p_by => 'nord/kari');
update public.activities set summary = 'met X', contact_id = tests.id('X')
where id = tests.id('own');
update public.activities set summary = 'met Y', duration_minutes = 50 where id = tests.id('of liv');
insert into public.expense_claims (id, organization_id, activity_id, amount_nok, status, decided_by)
values (tests.id('claim'), tests.id('nord'), tests.id('own'), 12.5, 'approved',
        tests.id('nord/kari'));
insert into public.bufdir_export_audit_log
    (organization_id, exported_by, snapshot_id, period_start, period_end, verdict,
     source_fingerprint, figures)
values (tests.id('nord'), tests.id('nord/kari'), gen_random_uuid(), '2026-01-01', '2027-01-01',
        '{}', '', '{}');
insert into public.reporting_year_log (organization_id, year, is_locked, changed_by)
values (tests.id('nord'), 2026, true, tests.id('nord/anne'));

create function tests.export(p_person text) returns jsonb language sql as
    $$ select public.export_person(tests.id(p_person)) $$;
create function tests.ids(p_rows jsonb) returns setof uuid language sql as
    $$ select (r ->> 'id')::uuid from jsonb_array_elements(p_rows) r $$;
create function tests.refused(p_person text) returns text language sql as $$
    select throws_ok(format('select tests.export(%L)', p_person), '42501',
        'only the person and their org admin export a person''s data', 'PX-01 not ' || p_person)
$$;
grant execute on all functions in schema tests to public;

select tests.act_as('nord/ola');
select tests.refused('nord/liv');
select tests.refused('sor/sol');
select tests.refused('nord/nobody');
select throws_ok($$ select public.export_person(null) $$, '42501',
    'only the person and their org admin export a person''s data', 'PX-01 not nobody');
select tests.act_as('nord/kari');
select tests.refused('nord/ola');
select tests.act_as('nord/ina');
select tests.refused('nord/ina');
select tests.act_as('nord/stranger');
select tests.refused('nord/ola');
select throws_ok($$ select public.export_person(null) $$, '42501',
    'only the person and their org admin export a person''s data',
    'PX-01 not nobody, also for nobody');
select tests.act_as('sor/siri');
select tests.refused('nord/ola');
select tests.act_as_role('anon');
select throws_ok($$ select tests.export('nord/ola') $$, '42501',
    'permission denied for function export_person', 'PX-02 anon may not');

select tests.act_as('nord/anne');
select is(tests.export('nord/anne') #>> '{locked_years,0,year}', '2026', 'PX-09 years they locked');
select tests.act_as('nord/ola');
create temporary table exported on commit drop as select tests.export('nord/ola') as e;
grant select on exported to public;
select set_eq($$ select jsonb_object_keys(e) from exported $$,
    array['exported_at', 'profile', 'sign_in', 'assignments', 'activities', 'activity_changes',
       'expenses', 'exports', 'reports', 'locked_years', 'erasures'], 'PX-03 what is exported');
select is((select e #>> '{profile,display_name}' from exported), 'nord/ola', 'PX-04 the name');
select is((select e #>> '{sign_in,email}' from exported), 'nord@ola.test', 'PX-04 the address');
select ok(not (select e -> 'sign_in' ? 'encrypted_password' from exported), 'PX-04 no password');
select is((select e #>> '{assignments,0,unit_name}' from exported), 'A', 'PX-05 where they work');
select set_eq($$ select tests.ids(e -> 'activities') from exported $$,
    array[tests.id('own'), tests.id('by kari')],
    'PX-06 their activities, also those registered for them');
select set_eq($$ select (h ->> 'activity_id')::uuid
       from exported, jsonb_array_elements(e -> 'activity_changes') h $$,
    array[tests.id('own')], 'PX-10 what became of them, and not of others'' activities');
select is((select a ->> 'summary' from exported, jsonb_array_elements(e -> 'activities') a
       where a ->> 'id' = tests.id('own')::text), 'met X', 'PX-06 with their texts');
select set_eq($$ select tests.ids(e -> 'expenses') from exported $$, array[tests.id('claim')],
    'PX-07 their expenses');
select tests.act_as('nord/anne');
select is(tests.export('nord/ola') - 'exported_at', (select e - 'exported_at' from exported),
    'PX-08 their org admin gets the same');
select set_eq($$ select tests.ids(tests.export('nord/kari') -> 'activities') $$,
    array[tests.id('by kari')], 'PX-09 what they registered for others is theirs, too');
select is(jsonb_array_length(tests.export('nord/kari') -> 'exports'), 1,
    'PX-09 and so are the exports they made');
select tests.act_as_role('service_role');
select is(tests.export('nord/ola') - 'exported_at', (select e - 'exported_at' from exported),
    'PX-10 so does the service role');
select lives_ok($$ select public.erase_person(tests.id('nord/ola')) $$, 'PX-11 after an erasure');
select is(tests.export('nord/ola') -> 'sign_in', 'null',
    'PX-11 there is nothing left to say who it was');

select * from finish();
rollback;
