-- IM: a list is previewed line by line, then imported as a whole.
begin;
\ir helpers.psql
select plan(27);
insert into auth.users (id, email, raw_app_meta_data) values
    (tests.id('nord/nina'), 'nord@nina.test', jsonb_build_object('org_id', tests.id('nord')));
create temporary table lists (name text primary key, kind text, rows jsonb) on commit drop;
insert into lists values
    ('units', 'units', '[
        {"unit": "Vest", "kind": "region", "parent": "root"},
        {"unit": "Bergen", "kind": "local", "parent": "Vest", "closed_on": ""},
        {"unit": "A", "kind": "local", "parent": "Vest", "closed_on": "2026-12-31"},
        {"unit": "B", "kind": "local", "parent": "region"}]'),
    ('bad units', 'units', '[
        {"unit": "", "kind": "local", "parent": "region"},
        {"unit": "X", "kind": "chapter", "parent": "region"},
        {"unit": "Y", "kind": "local", "parent": "nowhere"},
        {"unit": "Z", "kind": "region", "parent": "A"},
        {"unit": "W", "kind": "local"},
        {"unit": "V", "kind": "local", "parent": "region", "closed_on": "31.12.2026"},
        {"unit": "U", "kind": "local", "parent": "region"},
        {"unit": "U", "kind": "local", "parent": "region"},
        {"unit": "T", "kind": "local", "parent": "region", "closed_on": "2026-02-30"},
        {"unit": "Sør 123456", "kind": "region", "parent": "root"}]'),
    ('people', 'people', '[
        {"email": "NORD@nina.test", "name": "Nina", "role": "coordinator", "chapters": "C; D"},
        {"email": "nord@ola.test", "name": "nord/ola", "role": "peer_mentor", "chapters": "A"},
        {"email": "nord@liv.test", "name": "Liv", "role": "peer_mentor", "chapters": "B",
         "active": "no"}]'),
    ('bad people', 'people', '[
        {"email": "nobody@nina.test", "name": "X", "role": "coordinator"},
        {"email": "nord@ola.test", "name": "Ola", "role": "boss"},
        {"email": "nord@ola.test", "name": "Ola", "role": "peer_mentor", "chapters": "A;Q"},
        {"email": "nord@ola.test", "name": "Ola", "role": "peer_mentor",
         "chapters": "A;B;C;D;E;F"},
        {"email": "nord@anne.test", "name": "Anne", "role": "peer_mentor"},
        {"email": "sor@sol.test", "name": "Sol", "role": "peer_mentor"}]');
grant select on lists to public;
create function tests.previews(p_list text, p_field text) returns text[] language sql as $$
    select array_agg(l ->> p_field order by l -> 'line')
    from lists, jsonb_array_elements(public.preview_import(kind, rows)) l where name = p_list
$$;
create function tests.imports(p_list text) returns text[] language sql as $$
    select array_agg(l ->> 'outcome' order by l -> 'line')
    from lists, jsonb_array_elements(public.run_import(kind, rows)) l where name = p_list
$$;
grant execute on all functions in schema tests to public;

select tests.act_as('nord/anne');
select is(tests.previews('units', 'outcome'), array['insert', 'insert', 'update', 'unchanged'],
    'IM-01 a preview says what becomes of each line');
select is(tests.previews('units', 'line'), array['2', '3', '4', '5'],
    'IM-01 by its line in the file');
select is((select count(*) from public.organization_units), 9::bigint,
    'IM-02 and changes nothing');
select is(tests.imports('units'), array['insert', 'insert', 'update', 'unchanged'],
    'IM-03 the import does the same');
select results_eq(
    $$ select u.name, p.name, u.closed_on from public.organization_units u
       join public.organization_units p on p.id = u.parent_id
       where u.name in ('A', 'B', 'Bergen', 'Vest') order by u.name $$,
    $$ values ('A', 'Vest', '2026-12-31'::date), ('B', 'region', null), ('Bergen', 'Vest', null),
              ('Vest', 'root', null) $$,
    'IM-04 parents of the same list are found');
select is(tests.imports('units'), array_fill('unchanged'::text, array[4]),
    'IM-05 once more changes nothing');
select is(tests.previews('bad units', 'problem'),
    array['the unit has no name', 'the kind must be national, region, district or local',
          'there is no unit of the parent''s name', 'the parent is not above a unit of this kind',
          'the national unit alone has no parent', 'closed_on must be a day such as 2026-12-31',
          'the list names this unit more than once', 'the list names this unit more than once',
          'closed_on must be a day such as 2026-12-31',
          'the name of a region has six digits in a row, which reports do not show'],
    'IM-06 every problem is named, with its line');
select is(tests.previews('bad units', 'code'),
    array['unit_unnamed', 'kind_unknown', 'parent_unknown', 'parent_not_above', 'parent_missing',
          'closing_day', 'unit_twice', 'unit_twice', 'closing_day', 'region_numbered'],
    'IM-06 by a code');
select is(tests.previews('bad units', 'values'),
    array['[]', '["chapter"]', '["nowhere"]', '["A"]', '[]', '["31.12.2026"]', '["U"]', '["U"]',
          '["2026-02-30"]', '["Sør 123456"]'],
    'IM-06 and with the cells that it is about');
select throws_ok($$ select tests.imports('bad units') $$,
    'PT422', 'nothing was imported: 10 lines have problems', 'IM-07 with one, nothing is imported');
select is((select count(*) from public.organization_units), 11::bigint, 'IM-07 at all');

select is(tests.previews('people', 'outcome'), array['insert', 'unchanged', 'update'],
    'IM-08 people are previewed');
select is((select count(*) from public.profiles), 7::bigint, 'IM-08 unchanged');
select is(tests.imports('people'), array['insert', 'unchanged', 'update'], 'IM-09 and imported');
select results_eq(
    $$ select p.display_name, p.is_active, string_agg(u.name, ';' order by not a.is_primary, u.name)
       from public.profiles p join public.chapter_assignments a on a.profile_id = p.id
       join public.organization_units u on u.id = a.unit_id
       where p.id in (tests.id('nord/nina'), tests.id('nord/liv'))
       group by p.id, 1, 2 order by 1 $$,
    $$ values ('Liv', false, 'B'), ('Nina', true, 'C;D') $$,
    'IM-10 with their chapters, the first one primary');
select is(tests.imports('people'), array_fill('unchanged'::text, array[3]),
    'IM-11 once more changes nothing');
select is(tests.previews('bad people', 'problem'),
    array['nobody was invited with this address',
          'the role must be peer_mentor, coordinator or org_admin', 'there is no chapter "Q"',
          'a profile of this organisation may be assigned to at most 5 chapters',
          'the organisation would have no org admin', 'nobody was invited with this address'],
    'IM-12 every problem is named, also that somebody is of another organisation');
select is(tests.previews('bad people', 'code'),
    array['not_invited', 'role_unknown', 'chapter_unknown', '23514', 'PT409', 'not_invited'],
    'IM-12 by a code: SQL''s own where the database refuses it');
select is(tests.previews('people', 'code'), array_fill(null::text, array[3]),
    'IM-12 what has no problem has no code');
select throws_ok($$ select tests.imports('bad people') $$,
    'PT422', 'nothing was imported: 6 lines have problems', 'IM-13 with one, nothing is imported');
select throws_ok($$ select public.preview_import('chapters', '[]') $$,
    '22023', 'the kind of list must be units, people or activities',
    'IM-14 other lists are refused');
select throws_ok($$ select public.preview_import('units', '{}') $$,
    '22023', 'the rows must be an array of at most 5000', 'IM-14 and what is none');
select is(public.preview_import('units', '[]'), '[]', 'IM-14 an empty one is nothing');

select tests.act_as('nord/kari');
select throws_ok($$ select tests.previews('units', 'line') $$,
    '42501', 'only org admins import', 'IM-15 a coordinator previews none');
select throws_ok($$ select tests.imports('people') $$,
    '42501', 'only org admins import', 'IM-15 nor imports');
select tests.act_as('sor/siri');
select is(tests.previews('units', 'problem'),
    array[null, null, null, 'there is no unit of the parent''s name'],
    'IM-16 another organisation''s units are not found');
select is((select count(*) from public.organization_units), 2::bigint, 'IM-16 nor changed');

select * from finish();
rollback;
