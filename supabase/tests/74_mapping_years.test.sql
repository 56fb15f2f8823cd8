-- MY: each year is reported by the mapping and the thresholds that are valid for it.
begin;
\ir helpers.psql
select plan(32);
select tests.settle();

select tests.add_activity(p_at => '2025-06-01Z'), tests.add_activity(p_at => '2026-06-01Z');
insert into public.bufdir_category_mappings
    (mapping_version, activity_type_id, bufdir_category_code)
values (1, tests.id('nord/talk'), 'OLD'), (9, tests.id('sor/talk'), 'ELSE');

create function tests.version(p_year integer, p_until integer default null)
    returns text language sql as $$
    select (r ->> 'mapping_version') || coalesce(
        ' ' || (r #>> '{categories,0,bufdir_category_code}'), '')
    from public.generate_bufdir_report(
        tests.id('nord'), make_date(p_year, 1, 1), make_date(coalesce(p_until, p_year + 1), 1, 1)) r
$$;
create function tests.ways(p_year integer) returns setof text language sql as $$
    select tests.version(p_year)
    union all
    select (c ->> 'mapping_version') || ' '
           || (c #>> '{snapshot_json,categories,0,bufdir_category_code}')
    from public.compute_metric_snapshot(make_date(p_year, 1, 1), make_date(p_year + 1, 1, 1)) c
    union all
    select (a #>> '{report,mapping_version}') || ' ' || k
    from public.get_bufdir_alignment(p_year) a,
         jsonb_object_keys(a #> '{dashboard,hierarchy,categories}') k
    union all
    select (a #>> '{report,mapping_version}') || ' ' || k
    from public.get_bufdir_alignment(p_year) a,
         jsonb_object_keys(public.get_hierarchy_stats(tests.id('nord/root'), p_year)
                           -> 'categories') k
$$;
create function tests.of_all_units(p_year integer) returns text language sql as $$
    select string_agg(distinct k, ' ')
    from stats.hierarchy_summaries(tests.id('nord'), p_year) s,
         jsonb_object_keys(s.payload -> 'categories') k
$$;
create function tests.status(p_year integer) returns text language sql as $$
    select public.get_snapshot_status(make_date(p_year, 1, 1), make_date(p_year + 1, 1, 1))
           ->> 'reasons'
$$;
create function tests.save(p_year integer) returns jsonb language sql as $$
    select public.save_metric_snapshot(make_date(p_year, 1, 1), make_date(p_year + 1, 1, 1))
$$;
grant execute on all functions in schema tests to public;

-- ---------------------------------------------------------------- publishing

select tests.act_as('nord/anne');
select is(tests.version(2026), '0', 'MY-01 what is not published is not in force');
select is(
    public.generate_bufdir_report(tests.id('nord'), '2026-01-01', '2027-01-01', 1)
        #>> '{categories,0,bufdir_category_code}',
    'OLD', 'MY-02 though it can be tried by naming it');
select tests.act_as('nord/kari');
select throws_ok(
    $$ insert into public.bufdir_mapping_versions (organization_id, mapping_version,
                                                   valid_from_year)
       values (tests.id('nord'), 1, 2025) $$,
    '42501', 'new row violates row-level security policy for table "bufdir_mapping_versions"',
    'MY-03 no coordinator publishes');
select tests.act_as_role('service_role');
select throws_ok(
    $$ select tests.publish(9) $$,
    '23514', 'mapping version 9 has no categories to publish',
    'MY-04 nor is published what has no categories, whatever another organisation has');
select lives_ok($$ select tests.publish(1, 2025) $$, 'MY-05 a service publishes what has');
select tests.act_as('nord/ola');
select results_eq(
    $$ select mapping_version, valid_from_year from public.bufdir_mapping_versions $$,
    $$ values (1, 2025) $$,
    'MY-06 members see what is in force, and nothing of another organisation');
select tests.act_as('nord/anne');
select set_eq($$ select tests.ways(2026) $$, array['1 OLD'],
    'MY-07 report, snapshot, alignment and hierarchy use it, from its year on');
select is(tests.version(2024), '0', 'MY-08 not before');

-- ---------------------------------------------------------------- next year's

select tests.save(2025), tests.save(2026);
select is(tests.status(2025), '[]', 'MY-09 (both years are saved, and fresh)');
select tests.act_as_owner();
insert into public.bufdir_category_mappings
    (mapping_version, activity_type_id, bufdir_category_code)
values (2, tests.id('nord/talk'), 'NEW');
select tests.publish(2, 2026);
select tests.act_as('nord/anne');
select set_eq($$ select tests.ways(2025) $$, array['1 OLD'], 'MY-10 a year keeps its version');
select set_eq($$ select tests.ways(2026) $$, array['2 NEW'], 'MY-10 the later one has its own');
select is(tests.status(2025), '[]',
    'MY-11 what was saved of the earlier year is as fresh as it was');
select lives_ok($$ select public.export_bufdir_snapshot('2025-01-01', '2026-01-01') $$,
    'MY-11 and may be exported');
select is(tests.status(2026), '["mapping_changed"]', 'MY-12 of the later one it is not');
select throws_ok(
    $$ select public.export_bufdir_snapshot('2026-01-01', '2027-01-01') $$,
    'PT409', 'the snapshot is stale: ["mapping_changed"]',
    'MY-12 and may not');
select is(tests.save(2025) ->> 'mapping_version', '1', 'MY-13 saved again, each has its version');
select is(tests.save(2026) ->> 'mapping_version', '2', 'MY-13 saved again, each has its version');
select is(tests.status(2026), '[]', 'MY-13 and is fresh');
select tests.act_as_owner();
select is(tests.of_all_units(2025), 'OLD', 'MY-14 all units at once say the same');
select is(tests.of_all_units(2026), 'NEW', 'MY-14 all units at once say the same');

-- ---------------------------------------------------------------- a period over several years

select tests.act_as('nord/anne');
select throws_ok(
    $$ select tests.version(2025, 2027) $$,
    '22023', 'the years of this period are reported by different mapping versions',
    'MY-15 years with different versions are not reported as one');
select throws_ok(
    $$ select public.save_metric_snapshot('2025-07-01', '2026-07-01') $$,
    '22023', 'the years of this period are reported by different mapping versions',
    'MY-15 nor saved as one');
select is(
    public.generate_bufdir_report(tests.id('nord'), '2025-01-01', '2027-01-01', 2)
        #>> '{categories,0,activity_count}',
    '2', 'MY-16 unless a version is named for both');
select lives_ok($$ select tests.version(2026, 2029) $$, 'MY-17 with one version they are');
select is(tests.version(2026, 2026), '2', 'MY-18 a period of no days is of the year it begins in');

-- ---------------------------------------------------------------- a correction

select tests.act_as_owner();
insert into public.bufdir_category_mappings
    (mapping_version, activity_type_id, bufdir_category_code)
values (3, tests.id('nord/talk'), 'RIGHT');
select stats.fold();
select tests.publish(3, 2025);
select isnt_empty(
    $$ select from stats.tree_changes where organization_id = tests.id('nord') $$,
    'MY-19 to publish outdates the summaries');
select tests.act_as('nord/anne');
select set_eq($$ select tests.ways(y) from unnest('{2025,2026}'::integer[]) y $$, array['3 RIGHT'],
    'MY-20 of those that are valid, the newest version holds');
select tests.act_as_owner();
update public.bufdir_mapping_versions set valid_from_year = 2026 where mapping_version = 3;
select tests.act_as('nord/anne');
select is(tests.version(2025), '1 OLD', 'MY-21 published for a later year, it leaves the earlier');
select tests.act_as_owner();
select stats.fold();
delete from public.bufdir_mapping_versions where mapping_version = 3;
select isnt_empty(
    $$ select from stats.tree_changes where organization_id = tests.id('nord') $$,
    'MY-22 to withdraw outdates the summaries, too');
select tests.act_as('nord/anne');
select is(tests.version(2026), '2 NEW', 'MY-22 and gives back what held before');
select tests.act_as('sor/siri');
select is(public.compute_metric_snapshot('2026-01-01', '2027-01-01') ->> 'mapping_version', '0',
    'MY-23 another organisation has its own');
select is(public.compute_metric_snapshot('2025-01-01', '2027-01-01') ->> 'mapping_version', '0',
    'MY-23 or none, for any years');

select * from finish();
rollback;
