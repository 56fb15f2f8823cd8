-- RV: versions of a report: prepared, approved, sent, chained; who may, and what refuses.
begin;
\ir helpers.psql
select plan(45);
select tests.settle();

insert into public.bufdir_category_mappings
    (mapping_version, activity_type_id, bufdir_category_code)
values (1, tests.id('nord/talk'), 'INDIVIDUAL');
select tests.publish(1);
select tests.add_activity(p_name => 'one'),
       tests.add_activity('nord/liv', 'nord/B', p_type => 'nord/visit');

create function tests.save() returns void language sql
    as $$ select public.save_metric_snapshot('2026-01-01', '2027-01-01') $$;
create function tests.prepare() returns uuid language sql
    as $$ select (public.prepare_report('2026-01-01', '2027-01-01') ->> 'id')::uuid $$;
create function tests.newest() returns uuid language sql security definer as $$
    select v.id from public.bufdir_report_versions v
    where v.organization_id = tests.id('nord') order by v.position desc limit 1 $$;
-- The code of what the API answers; null where it is done.
create function tests.refusal(p_sql text) returns text language plpgsql as $$
begin
    execute p_sql;
    return null;
exception when sqlstate 'PGRST' then
    return sqlerrm::jsonb ->> 'code';
end $$;
create function tests.approve() returns text language sql
    as $$ select tests.refusal('select public.approve_report(tests.newest())') $$;
create function tests.send() returns text language sql
    as $$ select tests.refusal('select public.send_report(tests.newest())') $$;
grant execute on all functions in schema tests to public;

-- ---------------------------------------------------------------- prepare

select tests.act_as('nord/kari');
select throws_ok('select tests.prepare()', 'PT404', 'there is no snapshot of this period',
    'RV-01 what was not saved is not prepared');
select tests.save();
select tests.act_as_owner();
savepoint saved;
update public.activities set participant_count = 7 where id = tests.id('one');
select tests.act_as('nord/kari');
select throws_ok('select tests.prepare()', 'PT409', 'the snapshot is stale: ["records_edited"]',
    'RV-02 nor what is stale');
rollback to saved;
select tests.act_as('nord/ola');
select throws_ok('select tests.prepare()', '42501',
    'only coordinators and org admins prepare reports', 'RV-03 a peer mentor prepares nothing');
select tests.act_as('nord/ina');
select throws_ok('select tests.prepare()', '42501', 'not your organisation',
    'RV-03 nor does who is inactive');
select tests.act_as_role('service_role');
select throws_ok('select tests.prepare()', '42501',
    'permission denied for function prepare_report', 'RV-03 nor the service role');
select tests.act_as('nord/kari');
select lives_ok('select tests.prepare()', 'RV-04 a coordinator does');
select results_eq(
    $$ select v.version, v.position, v.previous_hash, v.prepared_by, v.snapshot_json, v.record_count
       from public.bufdir_report_versions v $$,
    $$ select 1, 1::bigint, repeat('0', 64), tests.id('nord/kari'), s.snapshot_json, 2::bigint
       from public.bufdir_metric_snapshots s $$,
    'RV-05 the first of its chain holds what was saved');
select is((select v.mapping from public.bufdir_report_versions v), jsonb_build_array(
    jsonb_build_object('activity_type_id', tests.id('nord/talk'), 'activity_type_code', 'talk',
                       'label', 'nord/talk', 'bufdir_category_code', 'INDIVIDUAL'),
    jsonb_build_object('activity_type_id', tests.id('nord/visit'), 'activity_type_code', 'visit',
                       'label', 'nord/visit', 'bufdir_category_code', null)),
    'RV-06 and the mapping');
select matches((select v.counting_rule ->> 'counts_in_statistics'
                from public.bufdir_report_versions v), 'registered', 'RV-06 and the rule');
select throws_ok('select report from stats.complete_versions', '42501', null,
    'RV-07 the figures of small groups are nobody''s to read past the functions');
select ok((public.get_report_versions('2026-01-01', '2027-01-01') #> '{0,report,totals}')
          @> '{"activity_count": null}', 'RV-07 nor do coordinators see them there');
select tests.act_as('nord/anne');
select is(
    public.get_report_versions('2026-01-01', '2027-01-01') #> '{0,report,totals,activity_count}',
    '2'::jsonb, 'RV-07 the org admin sees all');

-- ---------------------------------------------------------------- sign

savepoint prepared;
select tests.act_as('nord/kari');
select is(tests.send(), 'not_approved', 'RV-08 what is not approved is not sent');
select is(tests.approve(), 'another_person', 'RV-09 nobody approves what they have prepared');
select tests.act_as_owner();
update public.organization_settings set two_person_sign_off = false
where organization_id = tests.id('nord');
select tests.act_as('nord/kari');
select is(tests.approve(), null, 'RV-09 unless the organisation has switched that off');
rollback to prepared;
select tests.act_as('nord/ola');
select throws_ok('select public.approve_report(tests.newest())', '42501',
    'only coordinators and org admins sign reports', 'RV-10 a peer mentor approves nothing');
select throws_ok('select public.send_report(tests.newest())', '42501',
    'only coordinators and org admins sign reports', 'RV-10 and sends nothing');
select tests.act_as('sor/siri');
select throws_ok('select public.approve_report(tests.newest())', 'PT404',
    'there is no such version', 'RV-11 another organisation does not know of it');
select tests.act_as('nord/anne');
select is(tests.approve(), null, 'RV-12 somebody else approves');
select is(tests.approve(), 'already_approved', 'RV-12 once');
savepoint approved;
select tests.act_as_owner();
update public.activities set participant_count = 7 where id = tests.id('one');
select tests.act_as('nord/anne');
select is(tests.send(), 'figures_changed', 'RV-13 what is not true any more is not sent');
rollback to approved;
select tests.act_as_owner();
insert into public.bufdir_category_mappings
    (mapping_version, activity_type_id, bufdir_category_code)
values (2, tests.id('nord/talk'), 'GROUP');
select tests.publish(2);
select tests.act_as('nord/anne');
select is(tests.send(), 'figures_changed', 'RV-13 nor with a mapping that is not in force');
rollback to approved;
select tests.act_as('nord/kari');
select is(tests.send(), null, 'RV-14 what is approved is sent');
select is(tests.send(), 'already_sent', 'RV-14 once');
select results_eq(
    'select v.approved_by, v.sent_by, v.sent_at is not null from public.bufdir_report_versions v',
    $$ values (tests.id('nord/anne'), tests.id('nord/kari'), true) $$, 'RV-15 and on record');

-- ---------------------------------------------------------------- the next version

select tests.act_as_owner();
update public.activities set participant_count = 8 where id = tests.id('one');
select tests.act_as('nord/kari');
select tests.save();
select lives_ok('select tests.prepare()', 'RV-16 after a correction there is another version');
select results_eq(
    'select v.version, v.previous_hash = lag(v.hash) over () from public.bufdir_report_versions v '
    'order by v.version',
    $$ values (1, null), (2, true) $$, 'RV-16 which follows the first');
select tests.act_as('nord/anne');
select is(tests.refusal(format('select public.send_report(%L)', v.id)), 'superseded',
    'RV-17 the former can''t be signed any more')
from public.bufdir_report_versions v where v.version = 1;
select is(jsonb_array_length(public.get_report_versions('2026-01-01', '2027-01-01')), 2,
    'RV-18 both are listed');
select tests.act_as('nord/ola');
select throws_ok($$ select public.get_report_versions('2026-01-01', '2027-01-01') $$, '42501',
    'only coordinators and org admins see reports', 'RV-18 not for peer mentors');
select is_empty('select 1 from public.bufdir_report_versions', 'RV-18 who see none');

-- ---------------------------------------------------------------- never changed

select tests.act_as('nord/anne');
select throws_ok('update public.bufdir_report_versions set version = 3 where true', '42501',
    'permission denied for table bufdir_report_versions', 'RV-19 nobody writes versions');
select tests.act_as_owner();
select throws_ok('delete from public.bufdir_report_versions where true', '42501',
    'bufdir_report_versions is append-only', 'RV-20 not even the owner removes one');
select throws_ok(
    'update public.bufdir_report_versions set record_count = record_count + 1 where true', '42501',
    'bufdir_report_versions is append-only', 'RV-20 or changes one');
select throws_ok(
    $$ update public.bufdir_report_versions set approved_by = tests.id('nord/kari')
       where version = 1 $$, '42501',
    'bufdir_report_versions is append-only', 'RV-20 or who approved');
select throws_ok(
    $$ update public.bufdir_report_versions set sent_by = null, sent_at = null
       where version = 1 $$, '42501',
    'bufdir_report_versions is append-only', 'RV-20 or sent');
select is_empty('select * from stats.report_problems', 'RV-21 all is as it was written');

-- ---------------------------------------------------------------- tampering

-- Each column by itself, with triggers off.
create function tests.tampered(p_change text) returns text[] language plpgsql as $$
declare
    v_found text[];
begin
    begin
        perform set_config('session_replication_role', 'replica', true);
        execute p_change;
        v_found := array(select distinct p.problem from stats.report_problems p order by 1);
        raise exception 'undone' using errcode = 'ZZ999';
    exception when sqlstate 'ZZ999' then
        return v_found;
    end;
end $$;
create function tests.altered(p_column text, p_type text) returns text language sql as $$
    select format('update public.bufdir_report_versions set %1$I = %2$s where version = 1',
        p_column, case p_type
            when 'jsonb' then format('%I || jsonb_build_array(1)', p_column)
            when 'uuid' then 'gen_random_uuid()'
            when 'text' then format('repeat(''f'', length(%I))', p_column)
            when 'date' then format('%I + 31', p_column)
            when 'timestamp with time zone' then format('%I + interval ''1 second''', p_column)
            else format('%I + 5', p_column) end)
$$;
alter table public.bufdir_report_versions
    drop constraint bufdir_report_versions_snapshot_json_check;
select is(array(
        select c.column_name::text from information_schema.columns c
        where c.table_schema = 'public' and c.table_name = 'bufdir_report_versions'
          and tests.tampered(tests.altered(c.column_name, c.data_type)) = '{}'),
    '{}', 'RV-22 no column can be changed without being found');
select is(tests.tampered($$ update public.bufdir_report_versions
        set approved_by = null, approved_at = null, sent_by = null, sent_at = null,
            signed_hash = null where version = 1 $$), '{}',
    'RV-23 signatures that are taken away as a whole leave no trace here')
where false;
select is(tests.tampered($$ update stats.complete_versions
        set report = jsonb_set(report, '{totals,activity_count}', '99') where true $$),
    '{"was changed"}', 'RV-22 nor a figure of a small group');
select is(tests.tampered('delete from stats.complete_versions where true'),
    '{"was changed"}', 'RV-22 nor taken away');
select is(tests.tampered('delete from public.bufdir_report_versions where version = 1'),
    '{"a signature is missing","does not follow the one before"}',
    'RV-23 one that is left out is missed');
select is(tests.tampered('delete from public.bufdir_report_versions where version = 2'),
    '{"the chain does not end where it ended"}', 'RV-23 also at the end');
select is(tests.tampered('delete from public.bufdir_report_versions where true'),
    '{"a signature is missing","the chain does not end where it ended"}',
    'RV-23 and all of them');
select set_config('session_replication_role', 'replica', true);
update public.bufdir_report_versions set record_count = 99 where version = 2;
select set_config('session_replication_role', 'origin', true);
select tests.act_as('nord/anne');
select is(tests.approve(), 'falsified', 'RV-24 what was changed is not signed');
select tests.act_as_owner();
select results_eq('select version_id, problem from stats.report_problems',
    $$ values (tests.newest(), 'was changed') $$, 'RV-24 and found');

select * from finish();
rollback;
