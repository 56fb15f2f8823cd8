-- CA: who works where: the limit of the organisation, one primary chapter, chapters only.
begin;
\ir helpers.psql
select plan(18);

create function tests.assign(p_person text, p_unit text, p_is_primary boolean default false)
    returns void language sql as $$
    insert into public.chapter_assignments (profile_id, unit_id, organization_id, is_primary)
    values (tests.id(p_person), tests.id(p_unit), tests.organization(p_person), p_is_primary);
$$;
create function tests.assigned(p_person text) returns integer language sql as $$
    select count(*)::integer from public.chapter_assignments where profile_id = tests.id(p_person);
$$;

-- kari has A and B
select lives_ok(
    $$ select tests.assign('nord/kari', c) from unnest('{nord/C,nord/D,nord/E}'::text[]) c $$,
    'CA-01 five chapters are allowed in nord');
select throws_ok(
    $$ select tests.assign('nord/kari', 'nord/F') $$,
    '23514', 'a profile of this organisation may be assigned to at most 5 chapters',
    'CA-02 a sixth is refused');
select throws_ok(
    $$ insert into public.chapter_assignments (profile_id, unit_id, organization_id)
       select tests.id('nord/ola'), tests.id(c), tests.id('nord')
       from unnest('{nord/B,nord/C,nord/D,nord/E,nord/F}'::text[]) c $$,
    '23514', 'a profile of this organisation may be assigned to at most 5 chapters',
    'CA-03 nor do six come in one statement');
select is(tests.assigned('nord/ola'), 1, 'CA-03 of which none remains');
select lives_ok(
    $$ insert into public.chapter_assignments (profile_id, unit_id, organization_id)
       values (tests.id('nord/kari'), tests.id('nord/A'), tests.id('nord'))
       on conflict do nothing $$,
    'CA-04 at the limit, naming a chapter again is harmless');
select lives_ok($$ update public.chapter_assignments set unit_id = tests.id('nord/F')
                   where profile_id = tests.id('nord/kari') and unit_id = tests.id('nord/E') $$,
    'CA-05 at the limit, one chapter may be exchanged for another');
select throws_ok(
    $$ update public.chapter_assignments
       set profile_id = tests.id('nord/kari')
       where profile_id = tests.id('nord/ola')
         and unit_id = tests.id('nord/A') $$,
    '23505', 'duplicate key value violates unique constraint "chapter_assignments_pkey"',
    'CA-06 an assignment cannot be handed to someone who has it');
select lives_ok($$ select tests.assign('nord/ola', 'nord/G') $$,
    'CA-07 one that is not at the limit takes a chapter');
select throws_ok(
    $$ update public.chapter_assignments
       set profile_id = tests.id('nord/kari')
       where profile_id = tests.id('nord/ola')
         and unit_id = tests.id('nord/G') $$,
    '23514', 'a profile of this organisation may be assigned to at most 5 chapters',
    'CA-07 which cannot be handed to someone who is');
select lives_ok(
    $$ delete from public.chapter_assignments
       where profile_id = tests.id('nord/kari')
         and unit_id = tests.id('nord/F') $$,
    'CA-08 one given up');
select lives_ok($$ select tests.assign('nord/kari', 'nord/G') $$, 'CA-08 makes room for another');

-- the default limit is 100
insert into public.organization_units (id, organization_id, parent_id, kind, name)
select tests.id('sor/S' || n), tests.id('sor'), tests.id('sor/root'), 'local', 'S' || n
from generate_series(1, 101) n;
select lives_ok($$ select tests.assign('sor/siri', 'sor/S' || n) from generate_series(1, 100) n $$,
    'CA-09 a hundred chapters are allowed elsewhere');
select throws_ok(
    $$ select tests.assign('sor/siri', 'sor/S101') $$,
    '23514', 'a profile of this organisation may be assigned to at most 100 chapters',
    'CA-10 one more is refused');

select throws_ok(
    $$ select tests.assign('nord/cato', 'nord/D', true) $$,
    '23505', 'duplicate key value violates unique constraint "chapter_assignments_one_primary_idx"',
    'CA-11 a second primary chapter is refused');
select lives_ok($$ select tests.assign('nord/cato', 'nord/D') $$,
    'CA-12 a second that is not primary is allowed');
select throws_ok($$ select tests.assign('nord/ola', 'nord/region') $$, '23514',
    format('unit %s is not a chapter', tests.id('nord/region')), 'CA-13 a region is not a chapter');
select throws_ok(
    $$ select tests.assign('nord/ola', 'sor/S') $$,
    '23503',
    'insert or update on table "chapter_assignments" violates foreign key constraint '
    '"chapter_assignments_unit_id_organization_id_fkey"',
    'CA-14 a chapter of another organisation is refused');
select throws_ok(
    $$ select tests.assign('nord/nobody', 'nord/A') $$,
    '23502',
    'null value in column "organization_id" of relation "chapter_assignments" violates not-null '
    'constraint',
    'CA-15 so is somebody who is not there');

select * from finish();
rollback;
