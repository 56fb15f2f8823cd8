-- SN: saved reports: who writes and deletes them, what may stand in them, and when they are stale.
begin;
\ir helpers.psql
select plan(102);
select tests.settle();

insert into public.bufdir_category_mappings
    (mapping_version, activity_type_id, bufdir_category_code)
values (1, tests.id('nord/talk'), 'INDIVIDUAL');
select tests.publish(1);
select tests.add_activity(p_name => 'one'), tests.add_activity(p_name => 'two'),
       tests.add_activity('nord/ola', 'nord/A', '2025-06-01Z');

create function tests.save(p_start date default '2026-01-01',
    p_end date default '2027-01-01') returns jsonb language sql as
    $$ select public.save_metric_snapshot(p_start, p_end) $$;
create function tests.read(p_start date default '2026-01-01',
    p_end date default '2027-01-01') returns jsonb language sql as
    $$ select public.get_metric_snapshot(p_start, p_end) $$;
create function tests.status(p_after interval default '0') returns jsonb language sql as $$
    select stats.snapshot_status(
        tests.id('nord'), '2026-01-01', '2027-01-01',
        p_after + coalesce(
            (select computed_at
             from public.bufdir_metric_snapshots
             where organization_id = tests.id('nord')),
            now()))
$$;
create function tests.reasons(p_after interval default '0') returns text language sql as $$
    select tests.status(p_after) ->> 'reasons'
$$;
create function tests.lie(p_json text) returns text language sql as $$
    select format('update public.bufdir_metric_snapshots set snapshot_json = %L where true',
        p_json)
$$;
grant execute on all functions in schema tests to public;

-- ---------------------------------------------------------------- writing

select tests.act_as('nord/kari');
select lives_ok($$ select tests.save() $$, 'SN-01 a coordinator has computed and saved');
select lives_ok($$ select tests.save() $$, 'SN-01 and saves it again');
select tests.act_as('nord/anne');
select is(
    tests.save()
        - '{id,computed_at,snapshot_generated_at,source_fingerprint,snapshot_json}'::text[],
    jsonb_build_object('organization_id', tests.id('nord'), 'period_start', '2026-01-01',
        'period_end', '2027-01-01',
                       'record_count_at_generation', 2, 'mapping_version', 1),
                           'SN-01 so does an org admin, and is given the row');
select is((select count(*) from public.bufdir_metric_snapshots), 1::bigint, 'SN-02 one row stays');
select is(
    (select record_count_at_generation from public.bufdir_metric_snapshots),
    2::bigint,
    'SN-03 with the records it rests on');
select is(
    tests.read() -> 'snapshot_json',
    public.generate_bufdir_report(tests.id('nord'), '2026-01-01', '2027-01-01'),
    'SN-03 and the report, complete');
select is(
    (select organization_id from public.bufdir_metric_snapshots),
    tests.id('nord'),
    'SN-04 of the caller''s own organisation');
select tests.act_as('nord/ola');
select throws_ok(
    $$ select tests.save() $$,
    '42501', 'only coordinators and org admins save reports',
    'SN-05 a peer mentor saves none');
select throws_ok(
    $$ select public.compute_metric_snapshot('2026-01-01', '2027-01-01') $$,
    '42501', 'only coordinators and org admins see reports',
    'SN-05 nor has one computed');
select throws_ok($$ select public.renew_metric_snapshot(tests.id('nord'), '2026-01-01',
    '2027-01-01') $$, '42501',
    'permission denied for function renew_metric_snapshot', 'SN-05 nor one renewed');
select tests.act_as('nord/ina');
select throws_ok(
    $$ select tests.save() $$,
    '42501', 'not your organisation',
    'SN-05 nor does whoever is inactive');
select tests.act_as_role('anon');
select throws_ok(
    $$ select tests.save() $$,
    '42501', 'permission denied for function save_metric_snapshot',
    'SN-05 nor anon');

-- ---------------------------------------------------------------- by hand

select tests.act_as_owner();
create function tests.by_hand(p_person text) returns setof text language plpgsql as $$
declare
    v_statement text;
begin
    foreach v_statement in array array[
        'insert into public.bufdir_metric_snapshots (period_start, period_end, '
            'record_count_at_generation, source_fingerprint, mapping_version, snapshot_json)
         values (''2025-01-01'', ''2026-01-01'', 0, md5(''''), 0, ''{}'')',
        'update public.bufdir_metric_snapshots set snapshot_json = ''{}'' where true',
        'update public.bufdir_metric_snapshots set period_start = ''2020-01-01'' where true',
        'update public.bufdir_metric_snapshots set source_fingerprint = md5('''') where true',
        'update public.bufdir_metric_snapshots set computed_at = now() where true',
        'update public.bufdir_metric_snapshots set organization_id = tests.id(''sor'') where true',
        'insert into public.bufdir_metric_snapshots (organization_id, period_start, period_end, '
            'record_count_at_generation, source_fingerprint, mapping_version, snapshot_json)
         select organization_id, period_start, period_end, 99, source_fingerprint, 1, ''{}'' from
             public.bufdir_metric_snapshots
         on conflict (organization_id, period_start, period_end) do update set snapshot_json =
             excluded.snapshot_json'] loop
        perform tests.act_as(p_person);
        return next throws_ok(v_statement, '42501',
            'permission denied for table bufdir_metric_snapshots',
            'SN-06 ' || p_person || ' does not ' || left(v_statement, 75));
        perform tests.act_as_owner();
    end loop;
end $$;
select tests.by_hand(p) from unnest('{nord/ola,nord/kari,nord/anne}'::text[]) p;
select is(
    (select record_count_at_generation from public.bufdir_metric_snapshots
        where organization_id = tests.id('nord')),
    2::bigint,
    'SN-06 and nothing has changed');

-- ---------------------------------------------------------------- of which days

select tests.act_as('nord/kari');
select throws_ok(format('select public.%s(%L, %L)', f, p[1], p[2]), '22023',
    'a period is whole months of this century: it starts and ends on the first day of one',
                 format('SN-20 %s of a part of a month: %s', f, p::text))
from unnest(array['save_metric_snapshot', 'get_metric_snapshot', 'compute_metric_snapshot',
                  'get_snapshot_status', 'export_bufdir_snapshot']) f,
     (values ('{2026-03-10,2026-03-11}'::text[]), ('{2026-01-01,2026-12-31}'),
         ('{2026-01-01,infinity}')) v (p);
select lives_ok(
    $$ select tests.save('2026-03-01', '2026-04-01'), tests.read('2026-03-01', '2026-04-01') $$,
    'SN-20 a month is a period');
select is(
    public.get_snapshot_status('2026-03-01', '2026-04-01') ->> 'verdict',
    'fresh',
    'SN-20 in every question');
delete from public.bufdir_metric_snapshots where period_start = '2026-03-01';
select tests.act_as('nord/ola');
select throws_ok($$ select public.get_snapshot_status('2026-03-10', '2026-03-11') $$, '22023',
    'a period is whole months of this century: it starts and ends on the first day of one',
    'SN-21 a peer mentor does not learn how much a day had');
select is(
    public.get_snapshot_status('2026-01-01', '2027-01-01') ->> 'verdict',
    'fresh',
    'SN-21 but how it stands with the year');

-- ------------------------------------------------------------ what cannot be read is computed anew

select tests.act_as_owner();
update public.bufdir_metric_snapshots set snapshot_json = '{}' where true;
select tests.act_as_role('service_role');
select is(
    public.renew_metric_snapshot(tests.id('nord'), '2026-01-01', '2027-01-01'),
    true,
    'SN-22 the service has one computed anew');
select is(
    public.renew_metric_snapshot(tests.id('nord'), '2025-01-01', '2026-01-01'),
    false,
    'SN-22 but none that was not there');
select tests.act_as('nord/anne');
select is(
    tests.read() -> 'snapshot_json',
    public.generate_bufdir_report(tests.id('nord'), '2026-01-01', '2027-01-01'),
    'SN-22 and is right again');
select is(tests.read('2025-01-01', '2026-01-01'), null, 'SN-22 (nor was it made)');
select tests.act_as_owner();

-- ---------------------------------------------------------------- what may stand in it

select throws_ok(tests.lie(j), '23514',
    'new row for relation "bufdir_metric_snapshots" violates check constraint '
    '"bufdir_metric_snapshots_aggregates_only"',
                 'SN-07 refused: ' || j)
from unnest(array['"Ola Nordmann"', '5', 'true', 'null', '["Ola"]', '{"name": "Ola"}',
    '{"totals": {"contact_id": 1}}', '{"totals": "Ola"}',
                  '{"organization_id": "Ola Nordmann"}', '{"mapping_version": null}',
                      '{"period_start": "Ola"}', '{"activity_count": "3"}',
                      '{"activity_count": true}',
                  '{"categories": [1]}', '{"categories": [[]]}',
                      '{"categories": [{"bufdir_category_code": "Ola Nordmann"}]}',
                  '{"uncategorised": [{"activity_type_code": "met Kari"}]}',
                      '{"regions": [{"region_name": "01010112345"}]}',
                  '{"totals": {"totals": {"summary": "x"}}}']) j;
select lives_ok(tests.lie(j), 'SN-08 allowed: ' || j)
from unnest(array['{}', '{"totals": {"activity_count": 3, "total_hours": 1.25}}',
    '{"regions": [{"region_unit_id": null, "region_name": null}]}',
                  '{"totals": {"activity_count": null, "total_hours": null, '
                      '"distinct_participants": null, "participant_count": null}}']) j;

-- ---------------------------------------------------------------- reading and deleting

select tests.act_as('sor/siri');
select is_empty(
    $$ select * from public.bufdir_metric_snapshots $$,
    'SN-09 another organisation does not see it');
select is(tests.read(), null, 'SN-09 by no way');
select tests.act_as('nord/ina');
select is_empty(
    $$ select * from public.bufdir_metric_snapshots $$,
    'SN-09 nor does whoever is inactive');
select throws_ok($$ select tests.read() $$, '42501', 'not your organisation', 'SN-09 by no way');
select tests.act_as_role('anon');
select throws_ok(
    $$ select * from public.bufdir_metric_snapshots $$,
    '42501', 'permission denied for table bufdir_metric_snapshots',
    'SN-10 anon may not look');
select tests.act_as('nord/ola');
select isnt_empty(
    $$ select * from public.bufdir_metric_snapshots $$,
    'SN-11 a peer mentor sees it');
select isnt(tests.read(), null, 'SN-11 by either way');
select is_empty(
    $$ delete from public.bufdir_metric_snapshots where true returning id $$,
    'SN-11 and does not delete it');
select tests.act_as('nord/kari');
select isnt_empty($$ delete from public.bufdir_metric_snapshots where true returning id $$,
    'SN-12 a coordinator does');
select lives_ok($$ select tests.save() $$, 'SN-12 saved again');
select tests.act_as('nord/anne');
select isnt_empty($$ delete from public.bufdir_metric_snapshots where true returning id $$,
    'SN-12 an org admin does, too');

-- ---------------------------------------------------------------- stale

select tests.act_as_owner();
select is(tests.status() ->> 'verdict', 'missing', 'SN-13 deleted is missing');
select tests.act_as('nord/kari');
select tests.save();
select tests.act_as_owner();
select is(
    tests.status('24 hours') - 'computed_at',
    '{"verdict": "fresh", "reasons": [], "record_count_at_generation": 2, "record_count_now": 2, '
    '"export_allowed": true, "warnings": []}',
    'SN-14 exactly a day old is fresh');
select is(tests.reasons('24 hours 0.000001 seconds'), '["older_than_max_age"]',
    'SN-14 a microsecond more is not');
savepoint untouched;
update public.activities set duration_minutes = 61 where id = tests.id('one');
select is(tests.reasons(), '["records_edited"]', 'SN-15 one edited, the count the same');
rollback to untouched;
select tests.add_activity();
select is(tests.reasons(), '["record_count_changed"]', 'SN-16 one added');
delete from public.activities where id = tests.id('two');
select is(tests.reasons(), '["records_edited"]', 'SN-17 one added and one deleted');
rollback to untouched;
insert into public.bufdir_category_mappings
    (mapping_version, activity_type_id, bufdir_category_code)
values (2, tests.id('nord/talk'), 'INDIVIDUAL');
select is(tests.reasons(), '[]', 'SN-18 a newer mapping that is not published');
select tests.publish(2, 2027);
select is(tests.reasons(), '[]', 'SN-18 or for later years');
update public.bufdir_mapping_versions set valid_from_year = 2026 where mapping_version = 2;
select is(tests.reasons(), '["mapping_changed"]', 'SN-18 for this year');
rollback to untouched;
update public.bufdir_category_mappings
set bufdir_category_code = 'X'
where activity_type_id = tests.id('nord/talk');
select is(tests.reasons(), '["mapping_changed"]', 'SN-18 or the same, edited');
rollback to untouched;
select is(tests.reasons(), '[]', 'SN-19 and all of it undone');

select * from finish();
rollback;
