-- XA: the gate that only lets fresh and true figures out, its record, and the comparison with the
-- dashboard.
begin;
\ir helpers.psql
select plan(42);
select tests.settle();

insert into public.bufdir_category_mappings
    (mapping_version, activity_type_id, bufdir_category_code)
values (1, tests.id('nord/talk'), 'INDIVIDUAL');
select tests.publish(1);
select tests.add_activity(p_name => 'one'),
       tests.add_activity('nord/liv', 'nord/B', p_type => 'nord/visit');
insert into public.bufdir_thresholds
    (organization_id, valid_from_year, bufdir_category_code, minimum_activity_count)
values (tests.id('nord'), 2025, 'INDIVIDUAL', 3), (tests.id('nord'), 2027, 'INDIVIDUAL', 5),
       (tests.id('nord'), 2025, 'COURSE', 1), (tests.id('nord'), 2026, 'COURSE', 0),
       (tests.id('sor'), 2026, 'INDIVIDUAL', 9);

create function tests.save() returns void language sql
    as $$ select public.save_metric_snapshot('2026-01-01', '2027-01-01') $$;
create function tests.export() returns jsonb language sql
    as $$ select public.export_bufdir_snapshot('2026-01-01', '2027-01-01') $$;
grant execute on all functions in schema tests to public;

-- ---------------------------------------------------------------- the gate

select tests.act_as('nord/kari');
select throws_ok($$ select tests.export() $$, 'PT404', 'there is no snapshot of this period',
    'XA-01 what was not saved is not exported');
select tests.save();
select is(tests.export() -> 'snapshot', (select snapshot_json from public.bufdir_metric_snapshots),
    'XA-02 what was saved and is fresh is');
select tests.act_as('nord/anne');
select lives_ok($$ select tests.export() $$, 'XA-02 by an org admin, too');
select tests.act_as('nord/ola');
select throws_ok($$ select tests.export() $$, '42501', 'only coordinators and org admins export',
    'XA-03 not by a peer mentor');
select tests.act_as('nord/ina');
select throws_ok($$ select tests.export() $$, '42501', 'not your organisation',
    'XA-03 nor by who is inactive');
select tests.act_as('sor/siri');
select throws_ok($$ select tests.export() $$, 'PT404', 'there is no snapshot of this period',
    'XA-04 another organisation has its own');
select tests.act_as_role('anon');
select throws_ok(
    $$ select tests.export() $$,
    '42501', 'permission denied for function export_bufdir_snapshot',
    'XA-05 anon may not');
select tests.act_as_role('service_role');
select throws_ok(
    $$ select tests.export() $$,
    '42501', 'permission denied for function export_bufdir_snapshot',
    'XA-05 nor the service role');

select tests.act_as_owner();
savepoint fresh;
update public.activities set participant_count = 7 where id = tests.id('one');
select tests.act_as('nord/kari');
select throws_ok($$ select tests.export() $$, 'PT409', 'the snapshot is stale: ["records_edited"]',
    'XA-06 stale is not exported');
select tests.save();
select lives_ok($$ select tests.export() $$, 'XA-06 computed anew it is');
rollback to fresh;
select tests.act_as_owner();
update public.bufdir_metric_snapshots
set computed_at = now() - interval '24 hours 1 second'
where true;
select tests.act_as('nord/kari');
select throws_ok(
    $$ select tests.export() $$,
    'PT409', 'the snapshot is stale: ["older_than_max_age"]',
    'XA-07 nor is what is too old');
rollback to fresh;
select tests.act_as_owner();
update public.bufdir_metric_snapshots set snapshot_json = jsonb_set(snapshot_json,
    '{totals,activity_count}', '99') where true;
select tests.act_as('nord/kari');
select throws_ok(
    $$ select tests.export() $$,
    'PT409', 'the snapshot differs from the data',
    'XA-08 nor is what somebody changed');
select tests.act_as_owner();
update public.bufdir_metric_snapshots set mapping_version = 0 where true;
select tests.act_as('nord/kari');
select throws_ok(
    $$ select tests.export() $$,
    'PT409', 'the snapshot is stale: ["mapping_changed"]',
    'XA-08 whatever else is pretended');
rollback to fresh;

-- ---------------------------------------------------------------- its record

select tests.act_as('nord/kari');
select results_eq(
    $$ select exported_by, verdict ->> 'verdict', (verdict ->> 'matches')::boolean
       from public.bufdir_export_audit_log
       order by id $$,
    $$ values (tests.id('nord/kari'), 'fresh', true), (tests.id('nord/anne'), 'fresh', true) $$,
    'XA-09 who exported, on which verdict; refusals are not exports');
select throws_ok(
    $$ insert into public.bufdir_export_audit_log
           (organization_id, exported_by, snapshot_id, period_start, period_end, verdict)
       values (tests.id('nord'), tests.id('nord/kari'), gen_random_uuid(), '2026-01-01',
               '2027-01-01', '{}') $$,
    '42501', 'permission denied for table bufdir_export_audit_log',
    'XA-10 nobody writes it');
select throws_ok(
    $$ update public.bufdir_export_audit_log set verdict = '{}' where true $$,
    '42501', 'permission denied for table bufdir_export_audit_log',
    'XA-10 or rewrites it');
select throws_ok(
    $$ delete from public.bufdir_export_audit_log where true $$,
    '42501', 'permission denied for table bufdir_export_audit_log',
    'XA-10 or deletes from it');
select tests.act_as('nord/ola');
select is_empty($$ select * from public.bufdir_export_audit_log $$,
    'XA-11 a peer mentor does not see it');
select tests.act_as('sor/siri');
select is_empty($$ select * from public.bufdir_export_audit_log $$,
    'XA-11 nor does another organisation');
select tests.act_as_owner();
select throws_ok(
    $$ update public.bufdir_export_audit_log set verdict = '{}' where true $$,
    '42501', 'bufdir_export_audit_log is append-only',
    'XA-12 not even the owner rewrites it');
select throws_ok(
    $$ delete from public.bufdir_export_audit_log where true $$,
    '42501', 'bufdir_export_audit_log is append-only',
    'XA-12 or deletes from it');
select throws_ok(
    $$ truncate public.bufdir_export_audit_log $$,
    '42501', 'bufdir_export_audit_log is append-only',
    'XA-12 or empties it');
select lives_ok($$ delete from public.bufdir_metric_snapshots where true $$,
    'XA-13 a snapshot may go');
select is(
    (select count(*) from public.bufdir_export_audit_log where organization_id = tests.id('nord')),
    2::bigint,
    'XA-13 the record stays');

-- ---------------------------------------------------------------- the comparison

select tests.act_as('nord/anne');
create temporary table alignment on commit drop as select public.get_bufdir_alignment(2026) as a;
select is(
    (select a #> '{report,totals}' from alignment) - 'distinct_participants',
    (select a #> '{dashboard,activity_time_series}' from alignment),
    'XA-14 dashboard and report say the same');
select is((select (a #>> '{dashboard,hierarchy,activity_count}')::integer from alignment), 2,
    'XA-15 so does the national summary');
select is(
    (select a -> 'thresholds' from alignment),
    '[{"bufdir_category_code": "INDIVIDUAL", "minimum_activity_count": 3, "at_risk_ratio": 0.8}]',
    'XA-16 with the thresholds of the organisation that are valid for the year');
select set_eq(
    $$ select y, t ->> 'bufdir_category_code', (t ->> 'minimum_activity_count')::integer
       from unnest(array[2024, 2025, 2027, 2099]) y,
            jsonb_array_elements(public.get_bufdir_alignment(y) -> 'thresholds') t $$,
    $$ values (2025, 'INDIVIDUAL', 3), (2025, 'COURSE', 1), (2027, 'INDIVIDUAL', 5),
              (2099, 'INDIVIDUAL', 5) $$,
    'XA-16 each year has its own; a later one changes no earlier year, 0 ends one');
select throws_ok(
    $$ select public.get_bufdir_alignment(1999) $$,
    '22023', 'the year must be between 2000 and 2099',
    'XA-17 years of this century only');
select throws_ok(
    $$ select public.get_bufdir_alignment(null) $$,
    '22023', 'the year must be between 2000 and 2099',
    'XA-17 and one at all');
select tests.act_as('nord/kari');
select lives_ok($$ select public.get_bufdir_alignment(2026) $$, 'XA-18 a coordinator may ask');
select is(
    public.get_bufdir_alignment(2026) #> '{dashboard,hierarchy}',
    'null',
    'XA-22 and is not told what the national unit adds up to');
select throws_ok(
    $$ select public.read_hierarchy_stats(tests.id('nord/root'), 2026) $$,
    '42501', 'no such unit among those you follow up',
    'XA-22 as nowhere else');
select is(
    public.get_bufdir_alignment(2026) -> 'thresholds',
    (select a -> 'thresholds' from alignment),
    'XA-22 but the rest');
select tests.act_as('nord/anne');
select is(
    public.get_bufdir_alignment(2026) #> '{dashboard,hierarchy}',
    public.get_hierarchy_stats(tests.id('nord/root'), 2026),
    'XA-22 an org admin is told both');
select tests.act_as('nord/ola');
select throws_ok(
    $$ select public.get_bufdir_alignment(2026) $$,
    '42501', 'only coordinators and org admins check the alignment',
    'XA-18 a peer mentor may not');
select results_eq(
    $$ select valid_from_year from public.bufdir_thresholds order by 1 $$,
    $$ values (2025), (2025), (2026), (2027) $$,
    'XA-19 members read their thresholds');
select is_empty(
    $$ update public.bufdir_thresholds set minimum_activity_count = 0 where true
       returning valid_from_year $$,
    'XA-19 and set none');

-- ---------------------------------------------------------------- the kill switch

select tests.act_as_owner();
update public.organization_settings
set statistics_enabled = false
where organization_id = tests.id('nord');
select tests.act_as('nord/kari');
select throws_ok(
    format('select public.%s', call),
    'PT423', 'the statistics of this organisation are switched off',
    'XA-20 switched off: ' || call)
from unnest(array[
    'export_bufdir_snapshot(''2026-01-01'', ''2027-01-01'')',
    'get_snapshot_status(''2026-01-01'', ''2027-01-01'')',
    'get_bufdir_alignment(2026)']) call;
select is_empty($$ select * from public.bufdir_metric_snapshots $$, 'XA-21 and no rows');

select * from finish();
rollback;
