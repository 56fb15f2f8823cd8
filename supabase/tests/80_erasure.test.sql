-- ER: who erases whom, what remains of them, and that no figure moves.
begin;
\ir helpers.psql
select plan(64);
select tests.settle();

insert into public.bufdir_category_mappings
    (mapping_version, activity_type_id, bufdir_category_code)
values (1, tests.id('nord/talk'), 'INDIVIDUAL'), (1, tests.id('nord/visit'), 'GROUP');
select tests.publish(1);

-- Ola met X alone, and Y whom Liv met, too; Kari registered for him and exported; Liv met Z.
create function tests.met(p_name text, p_mentor text, p_contact text, p_unit text, p_type text,
    p_by text default null) returns void language sql as $$
    select tests.add_activity(p_mentor, p_unit, p_name => p_name, p_type => p_type, p_by => p_by);
    update public.activities
    set contact_id = tests.id(p_contact), summary = p_contact || ' told ' || p_mentor
    where id = tests.id(p_name)
$$;
select tests.met('one', 'nord/ola', 'X', 'nord/A', 'nord/talk'),
       tests.met('two', 'nord/ola', 'Y', 'nord/A', 'nord/talk'),
       tests.met('three', 'nord/ola', 'Y', 'nord/A', 'nord/visit', 'nord/kari'),
       tests.met('four', 'nord/liv', 'Y', 'nord/B', 'nord/talk'),
       tests.met('five', 'nord/liv', 'Z', 'nord/B', 'nord/visit'),
       tests.met('six', 'sor/sol', 'Y', 'sor/S', 'sor/talk');
insert into public.expense_claims (id, organization_id, activity_id, amount_nok, status, decided_by)
values (tests.id('claim'), tests.id('nord'), tests.id('one'), 12.5, 'approved',
        tests.id('nord/kari'));
insert into auth.sessions (id, user_id) select gen_random_uuid(), tests.id(name) from people;
insert into auth.audit_log_entries (id, payload)
select gen_random_uuid(),
       json_build_object('actor_id', tests.id(name), 'actor_username', name || '@secret')
from people;

-- Everything that is said of nord: live, as of the last refresh, in summaries and in the report,
-- saved and now.
create function tests.figures() returns table (name text, row_ text) language plpgsql as $$
begin
    perform stats.refresh(p_force := true);
    return query
        select 'peer mentors', to_jsonb(v)::text from stats.live_peer_mentor_stats v union all
        select 'chapters', to_jsonb(v)::text from stats.live_chapter_stats v union all
        select 'days', to_jsonb(v)::text from stats.live_time_series v union all
        select 'coordinators', to_jsonb(v)::text from stats.live_coordinator_rows v union all
        select 'mv_chapter_stats', to_jsonb(v)::text from stats.mv_chapter_stats v union all
        select 'mv_peer_mentor_stats', to_jsonb(v)::text from stats.mv_peer_mentor_stats v union all
        select 'mv_activity_time_series', to_jsonb(v)::text from stats.mv_activity_time_series v
        union all
        select 'summaries', to_jsonb(v)::text
        from stats.hierarchy_summaries(tests.id('nord'), 2026) v union all
        select 'report',
               stats.bufdir_report(tests.id('nord'), '2026-01-01', '2027-01-01', 1)::text union all
        select 'saved', to_jsonb(v)::text from public.bufdir_metric_snapshots v union all
        select 'saved, complete', to_jsonb(v)::text from stats.complete_reports v union all
        select 'exported', to_jsonb(v)::text from public.bufdir_export_audit_log v union all
        select 'verdict',
               stats.snapshot_status(tests.id('nord'), '2026-01-01', '2027-01-01', now())::text;
end $$;
create function tests.status_of(p_person text) returns text language sql as $$
    select concat_ws(' ', display_name, case when is_active then 'active' else 'inactive' end,
                     case when erased_at = now() then 'erased now' end,
                     case when user_id is not null then 'signs in' end)
    from public.profiles where id = tests.id(p_person)
$$;
create function tests.erase(p_person text) returns jsonb language sql as
    $$ select public.erase_person(tests.id(p_person)) - 'profile_id' $$;
create function tests.erased() returns jsonb language sql as
    $$ select jsonb_build_object('erased_at', now(), 'sign_in_deleted', true) $$;
grant execute on all functions in schema tests to public;

select tests.act_as('nord/kari');
select public.save_metric_snapshot('2026-01-01', '2027-01-01');
select public.export_bufdir_snapshot('2026-01-01', '2027-01-01');
select tests.act_as_owner();
create temporary table before on commit drop as select * from tests.figures();
select is((select row_::jsonb ->> 'verdict' from before where name = 'verdict'), 'fresh',
    'ER-01 what was saved is fresh');
select is((select row_::jsonb #>> '{totals,distinct_participants}' from before
       where name = 'report'), '3', 'ER-01 X, Y and Z count once each');

-- ---------------------------------------------------------------- who may

create function tests.refused(p_call text, p_message text) returns setof text language sql as $$
    select throws_ok(p_call, '42501', p_message, concat(
        'ER-02 ', current_setting('request.jwt.claims')::jsonb ->> 'role', ' may not: ', p_call))
$$;
grant execute on all functions in schema tests to public;
select tests.act_as('nord/ola');
select tests.refused($$ select tests.erase('nord/liv') $$,
    'only an org admin of their organisation erases a person');
select tests.refused($$ select tests.erase('nord/ola') $$,
    'only an org admin of their organisation erases a person');
select tests.refused($$ select public.erase_contact(tests.id('X')) $$,
    'only an org admin erases a contact');
select tests.act_as('nord/kari');
select tests.refused($$ select tests.erase('nord/ola') $$,
    'only an org admin of their organisation erases a person');
select tests.refused($$ select public.erase_contact(tests.id('X')) $$,
    'only an org admin erases a contact');
select tests.act_as('nord/ina');
select tests.refused($$ select tests.erase('nord/ola') $$,
    'only an org admin of their organisation erases a person');
select tests.act_as('nord/stranger');
select tests.refused($$ select tests.erase('nord/ola') $$,
    'only an org admin of their organisation erases a person');
select tests.refused($$ select public.erase_contact(tests.id('X')) $$,
    'only an org admin erases a contact');
select tests.act_as('sor/siri');
select tests.refused($$ select tests.erase('nord/ola') $$,
    'only an org admin of their organisation erases a person');
select tests.refused($$ select tests.erase('nord/nobody') $$,
    'only an org admin of their organisation erases a person');
select tests.refused($$ select public.erase_person(null) $$,
    'only an org admin of their organisation erases a person');
select tests.act_as('nord/anne', p_organization => 'sor');
select tests.refused($$ select tests.erase('nord/ola') $$,
    'only an org admin of their organisation erases a person');
select tests.act_as_role('anon');
select tests.refused($$ select public.erase_person(tests.id('nord/ola')) $$,
    'permission denied for function erase_person');
select tests.refused($$ select public.erase_contact(tests.id('X')) $$,
    'permission denied for function erase_contact');
select tests.act_as('nord/anne');
select throws_ok($$ select tests.erase('nord/anne') $$, 'PT409',
    'the last org admin cannot be erased', 'ER-03 not the last org admin');
select throws_ok($$ select public.erase_contact(null) $$, '22023', 'a contact is needed',
    'ER-03 and not nobody');
select tests.act_as_role('service_role');
select throws_ok($$ select tests.erase('nord/anne') $$, 'PT409',
    'the last org admin cannot be erased', 'ER-03 whoever asks');
select tests.act_as_owner();
select is((select count(*) from public.erasures), 0::bigint,
    'ER-04 what was refused is not on record');
select results_eq($$ select * from tests.figures() order by 1, 2 $$,
    $$ select * from before order by 1, 2 $$, 'ER-04 and did nothing');

-- ---------------------------------------------------------------- a contact

savepoint nothing_erased;
select tests.act_as('sor/siri');
select is(public.erase_contact(tests.id('X')), '{"activities": 0}',
    'ER-05 another organisation''s contact is nobody');
select is(public.erase_contact(tests.id('Y')), '{"activities": 1}',
    'ER-05 and of one with the same id only one''s own is erased');
select tests.act_as('nord/anne');
select is(public.erase_contact(tests.id('Y')), '{"activities": 3}',
    'ER-06 an org admin erases a contact');
select is(public.erase_contact(tests.id('Y')), '{"activities": 0}',
    'ER-06 the second time there is none');
select tests.act_as_owner();
select is_empty($$ select id from public.activities
       where contact_id = tests.id('Y') or summary ~ 'Y' $$,
    'ER-07 neither the id nor what was told is left');
select is((select count(distinct contact_id) from public.activities where id in (tests.id('two'),
       tests.id('three'), tests.id('four'))), 1::bigint,
    'ER-07 one other id stands for them, whoever met them');
select isnt((select contact_id from public.activities where id = tests.id('two')),
    (select contact_id from public.activities where id = tests.id('six')),
    'ER-07 in each organisation another');
select set_eq($$ select summary from public.activities where summary is not null $$,
    array['X told nord/ola', 'Z told nord/liv'], 'ER-07 of others everything is');
select results_eq($$ select * from tests.figures() order by 1, 2 $$,
    $$ select * from before order by 1, 2 $$,
    'ER-08 no figure has moved, and what was saved is fresh');
select results_eq(
    $$ select organization_id, kind, erased_by, erased_count from public.erasures order by id $$,
    $$ values (tests.id('sor'), 'contact', tests.id('sor/siri'), null::bigint),
              (tests.id('nord'), 'contact', tests.id('nord/anne'), null) $$,
    'ER-09 that it was done is on record, and not to whom');
rollback to nothing_erased;
select tests.act_as_role('service_role');
select is(public.erase_contact(tests.id('Y')), '{"activities": 4}',
    'ER-10 the service role erases wherever it is');
select tests.act_as_owner();
select results_eq($$ select erased_by from public.erasures $$, $$ values (null::uuid), (null) $$,
    'ER-10 in nobody''s name');
rollback to nothing_erased;

-- ---------------------------------------------------------------- a person

select tests.act_as('nord/anne');
select is(tests.erase('nord/ola'), tests.erased(), 'ER-11 an org admin erases a peer mentor');
select tests.act_as_owner();
select is(tests.status_of('nord/ola'), 'Erased person inactive erased now',
    'ER-12 the profile stays without a name');
select is_empty($$ select from auth.users where id = tests.id('nord/ola') $$,
    'ER-12 the sign-in goes');
select is_empty($$ select from auth.audit_log_entries where payload::text ~ 'nord/ola' $$,
    'ER-12 with what Auth noted of it');
select is_empty($$ select from public.chapter_assignments
       where profile_id = tests.id('nord/ola') $$, 'ER-12 and where they worked');
select set_eq($$ select summary from public.activities where summary is not null $$,
    array['Y told nord/liv', 'Z told nord/liv', 'Y told sor/sol'],
    'ER-13 their texts are gone, also those that others wrote for them');
select set_eq($$ select case when contact_id = tests.id('Z') then 'Z' when contact_id =
       tests.id('Y') then 'Y' end from public.activities
       where organization_id = tests.id('nord') $$, array[null, 'Z'],
    'ER-13 nobody can be asked who met them');
select is((select contact_id from public.activities where id = tests.id('six')), tests.id('Y'),
    'ER-13 another organisation''s contacts stay');
select results_eq($$ select * from tests.figures() order by 1, 2 $$,
    $$ select * from before order by 1, 2 $$,
    'ER-14 no figure has moved, and what was saved is fresh');
select tests.act_as('nord/anne');
select is(tests.erase('nord/ola'), tests.erased(), 'ER-15 it may be asked for again');
select results_eq($$ select organization_id, kind, erased_by, erased_count from public.erasures $$,
    $$ values (tests.id('nord'), 'person', tests.id('nord/anne'), null::bigint) $$,
    'ER-15 and is on record once');
select tests.act_as('nord/ola');
select is(app.member_org_id(), null, 'ER-16 who still has a token is nobody');
select tests.act_as_owner();
select throws_ok($$ update public.profiles set is_active = true where id = tests.id('nord/ola') $$,
    '23514',
    'new row for relation "profiles" violates check constraint "profiles_erased_are_inactive"',
    'ER-17 and is nobody for good');
select throws_ok($$ update public.profiles set erased_at = null where id = tests.id('nord/ola') $$,
    '23514',
    'new row for relation "profiles" violates check constraint "profiles_erased_have_no_sign_in"',
    'ER-17 whatever is tried');
rollback to nothing_erased;

select tests.act_as_role('service_role');
select is(tests.erase('nord/kari'), tests.erased(),
    'ER-18 the service role erases a coordinator who registered, decided and exported');
select tests.act_as_owner();
select is_empty($$ select from public.activities where id = tests.id('three')
       and summary is not null $$, 'ER-18 what they wrote for others goes');
select is((select contact_id from public.activities where id = tests.id('three')), tests.id('Y'),
    'ER-18 whom others met stays');
select results_eq($$ select * from tests.figures() order by 1, 2 $$,
    $$ select * from before order by 1, 2 $$, 'ER-18 no figure has moved');
update public.profiles set role = 'org_admin' where id = tests.id('nord/liv');
select tests.act_as('nord/anne');
select is(tests.erase('nord/anne'), tests.erased(),
    'ER-19 an org admin may go when there is another');
select throws_ok($$ select tests.erase('nord/liv') $$, '42501',
    'only an org admin of their organisation erases a person', 'ER-19 and can do no more');
rollback to nothing_erased;

-- ---------------------------------------------------------------- the sign-in goes another way

delete from auth.users where id = tests.id('nord/ola');
select is(tests.status_of('nord/ola'), 'Erased person inactive erased now',
    'ER-20 who deletes the user erases the person');
select is_empty($$ select from public.activities where summary ~ 'ola' $$,
    'ER-20 with their texts');
select results_eq($$ select * from tests.figures() order by 1, 2 $$,
    $$ select * from before order by 1, 2 $$, 'ER-20 no figure has moved');
select is((select count(*) from public.erasures where kind = 'person'), 1::bigint,
    'ER-20 it is on record');
delete from auth.users where id = tests.id('nord/cato');
select is_empty($$ select from public.profiles where id = tests.id('nord/cato') $$,
    'ER-21 who never did anything leaves nothing');
select is((select count(*) from public.erasures where kind = 'person'), 1::bigint,
    'ER-21 not even a record');
rollback to nothing_erased;

-- ---------------------------------------------------------------- the record

insert into public.erasures (organization_id, kind) values (tests.id('nord'), 'contact');
select throws_ok($$ update public.erasures set kind = 'person' where true $$, '42501',
    'erasures is append-only', 'ER-22 nobody rewrites it');
select throws_ok($$ delete from public.erasures where true $$, '42501', 'erasures is append-only',
    'ER-22 or deletes from it');
select tests.act_as('nord/anne');
select isnt_empty($$ select * from public.erasures $$, 'ER-23 an org admin reads it');
select tests.act_as('nord/kari');
select is_empty($$ select * from public.erasures $$, 'ER-23 nobody else of the organisation does');
select tests.act_as('sor/siri');
select is_empty($$ select * from public.erasures $$, 'ER-23 nor the admin of another');

select * from finish();
rollback;
