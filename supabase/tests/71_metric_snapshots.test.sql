-- SN: saved reports: who writes and deletes them, what may stand in them, and when they are stale.
begin;
\ir helpers.psql
select plan(48);
select tests.settle();

insert into public.bufdir_category_mappings
    (mapping_version, activity_type_id, bufdir_category_code)
values (1, tests.id('nord/talk'), 'INDIVIDUAL');
select tests.add_activity(p_name => 'one'), tests.add_activity(p_name => 'two'),
       tests.add_activity('nord/ola', 'nord/A', '2025-06-01Z');

create function tests.save(
    p_json jsonb default null, p_organization text default null,
    p_computed_at timestamptz default null)
    returns void language sql as $$
    insert into public.bufdir_metric_snapshots
        (organization_id, period_start, period_end, computed_at, record_count_at_generation,
         source_fingerprint, mapping_version, snapshot_json)
    select coalesce(tests.id(p_organization), (c ->> 'organization_id')::uuid),
           (c ->> 'period_start')::date,
           (c ->> 'period_end')::date,
           coalesce(p_computed_at, (c ->> 'computed_at')::timestamptz),
           (c ->> 'record_count_at_generation')::bigint,
           c ->> 'source_fingerprint',
           (c ->> 'mapping_version')::integer,
           coalesce(p_json, c -> 'snapshot_json')
    from public.compute_metric_snapshot('2026-01-01', '2027-01-01') c
    on conflict (organization_id, period_start, period_end) do update
        set computed_at = excluded.computed_at,
            record_count_at_generation = excluded.record_count_at_generation,
            source_fingerprint = excluded.source_fingerprint,
            mapping_version = excluded.mapping_version,
            snapshot_json = excluded.snapshot_json
$$;
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

select tests.act_as('nord/ola');
select lives_ok($$ select tests.save() $$, 'SN-01 a member saves what was computed');
select lives_ok($$ select tests.save() $$, 'SN-01 and saves it again');
select tests.act_as('nord/kari');
select lives_ok($$ select tests.save() $$, 'SN-01 so does another member');
select is((select count(*) from public.bufdir_metric_snapshots), 1::bigint, 'SN-02 one row stays');
select is((select record_count_at_generation from public.bufdir_metric_snapshots), 2::bigint,
    'SN-03 with the records it rests on');
select throws_ok(
    $$ select tests.save(p_organization => 'sor') $$,
    '42501', 'new row violates row-level security policy for table "bufdir_metric_snapshots"',
    'SN-04 not in another organisation''s name');
select throws_ok(
    $$ update public.bufdir_metric_snapshots set organization_id = tests.id('sor') where true $$,
    '42501', 'new row violates row-level security policy for table "bufdir_metric_snapshots"',
    'SN-04 nor moved there');
select throws_ok(
    $$ update public.bufdir_metric_snapshots set snapshot_generated_at = now() where true $$,
    '42501', 'permission denied for table bufdir_metric_snapshots',
    'SN-05 nobody says when it was written');
select throws_ok(
    $$ select tests.save(p_computed_at => now() + interval '1 microsecond') $$,
    '23514',
    'new row for relation "bufdir_metric_snapshots" violates check constraint '
    '"bufdir_metric_snapshots_computed_first"',
    'SN-06 nor that it was computed later');
select lives_ok($$ select tests.save(p_computed_at => now()) $$, 'SN-06 now is not later');

-- ---------------------------------------------------------------- what may stand in it

select throws_ok(
    tests.lie(j),
    '23514',
    'new row for relation "bufdir_metric_snapshots" violates check constraint '
    '"bufdir_metric_snapshots_aggregates_only"',
    'SN-07 refused: ' || j)
from unnest(array[
    '"Ola Nordmann"', '5', 'true', 'null', '["Ola"]', '{"name": "Ola"}',
    '{"totals": {"contact_id": 1}}', '{"totals": "Ola"}',
    '{"organization_id": "Ola Nordmann"}', '{"period_start": "Ola"}',
    '{"activity_count": "3"}', '{"activity_count": true}',
    '{"categories": [1]}', '{"categories": [[]]}',
    '{"categories": [{"bufdir_category_code": "Ola Nordmann"}]}',
    '{"uncategorised": [{"activity_type_code": "met Kari"}]}',
    '{"regions": [{"region_name": "01010112345"}]}',
    '{"totals": {"totals": {"summary": "x"}}}']) j;
select lives_ok(tests.lie(j), 'SN-08 allowed: ' || j)
from unnest(array[
    '{}',
    '{"totals": {"activity_count": 3, "total_hours": 1.25}}',
    '{"regions": [{"region_unit_id": null, "region_name": null}]}']) j;

-- ---------------------------------------------------------------- reading and deleting

select tests.act_as('sor/siri');
select is_empty($$ select * from public.bufdir_metric_snapshots $$,
    'SN-09 another organisation does not see it');
select tests.act_as('nord/ina');
select is_empty($$ select * from public.bufdir_metric_snapshots $$,
    'SN-09 nor does whoever is inactive');
select tests.act_as_role('anon');
select throws_ok(
    $$ select * from public.bufdir_metric_snapshots $$,
    '42501', 'permission denied for table bufdir_metric_snapshots',
    'SN-10 anon may not look');
select tests.act_as('nord/ola');
select isnt_empty($$ select * from public.bufdir_metric_snapshots $$,
    'SN-11 a peer mentor sees it');
select is_empty($$ delete from public.bufdir_metric_snapshots where true returning id $$,
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
    '"export_allowed": true}',
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
select is(tests.reasons(), '["mapping_changed"]', 'SN-18 a newer mapping');
rollback to untouched;
update public.bufdir_category_mappings
set bufdir_category_code = 'X'
where activity_type_id = tests.id('nord/talk');
select is(tests.reasons(), '["mapping_changed"]', 'SN-18 or the same, edited');
rollback to untouched;
select is(tests.reasons(), '[]', 'SN-19 and all of it undone');

select * from finish();
rollback;
