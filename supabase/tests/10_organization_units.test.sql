-- UT: the tree of units. Refusals name the constraint or the message, and each has a twin that is
-- allowed.
begin;
\ir helpers.psql
select plan(18);

create function tests.add_unit(p_name text, p_parent text, p_kind text)
    returns void language sql as $$
    insert into public.organization_units (id, organization_id, parent_id, kind, name)
    values (tests.id(p_name), tests.organization(p_name), tests.id(p_parent),
            p_kind::public.unit_kind, p_name);
$$;
create function tests.move_unit(p_name text, p_parent text) returns void language sql as $$
    update public.organization_units set parent_id = tests.id(p_parent) where id = tests.id(p_name);
$$;

select throws_ok(
    $$ select tests.add_unit('nord/root 2', null, 'national') $$,
    '23505', 'duplicate key value violates unique constraint "organization_units_one_root_idx"',
    'UT-01 a second root is refused');
select throws_ok(
    $$ select tests.add_unit('nord/loose', null, 'region') $$,
    '23514',
    'new row for relation "organization_units" violates check constraint '
    '"organization_units_root_is_national"',
    'UT-02 only a national unit may be without a parent');
select throws_ok(
    $$ select tests.add_unit('nord/national', 'nord/root', 'national') $$,
    '23514',
    'new row for relation "organization_units" violates check constraint '
    '"organization_units_root_is_national"',
    'UT-03 a national unit has no parent');
select throws_ok(
    $$ select tests.add_unit('nord/foreign', 'sor/root', 'region') $$,
    '23503',
    'insert or update on table "organization_units" violates foreign key constraint '
    '"organization_units_parent_fkey"',
    'UT-04 a parent in another organisation is refused');
select lives_ok($$ select tests.add_unit('nord/district', 'nord/region', 'district') $$,
    'UT-05 a district under a region of its own is allowed');

select throws_ok(
    $$ select tests.add_unit('nord/upside down', 'nord/A', 'district') $$,
    '23514',
    format('organization unit %s: a unit stands above one of a higher kind',
        tests.id('nord/upside down')),
    'UT-06 a district under a chapter is refused');
select throws_ok(
    $$ update public.organization_units set kind = 'local' where id = tests.id('nord/region') $$,
    '23514',
    format('organization unit %s: a unit stands above one of a higher kind',
        tests.id('nord/district')),
    'UT-07 a unit above higher ones cannot be degraded');
select lives_ok($$ select tests.move_unit('nord/A', 'nord/district') $$,
    'UT-08 a chapter may be moved under a district');

select lives_ok($$ select tests.add_unit('nord/H', 'nord/A', 'local') $$,
    'UT-09 a fifth level is allowed');
select throws_ok(
    $$ select tests.add_unit('nord/I', 'nord/H', 'local') $$,
    '23514',
    format('organization unit %s: the tree has more than five levels, or a cycle',
        tests.id('nord/I')),
    'UT-10 a sixth level is refused');

select lives_ok($$ select tests.move_unit('nord/C', 'nord/B') $$,
    'UT-11 a chapter may stand under a chapter');
select throws_ok(
    $$ select tests.move_unit('nord/D', 'nord/D') $$,
    '23514',
    format('organization unit %s: the tree has more than five levels, or a cycle',
        tests.id('nord/D')),
    'UT-12 a unit above itself is refused');
select throws_ok($$ select tests.move_unit('nord/B', 'nord/C') $$, '23514', null,
    'UT-12 so is a cycle of two');
select throws_matching(
    $$ select tests.move_unit('nord/B', 'nord/C') $$,
    '^organization unit .*: the tree has more than five levels, or a cycle$',
    'UT-12 and it is called one');
select throws_ok(
    $$ delete from public.organization_units where id = tests.id('nord/district') $$,
    '23503',
    'update or delete on table "organization_units" violates foreign key constraint '
    '"organization_units_parent_fkey" on table "organization_units"',
    'UT-13 a unit with units below cannot be deleted');
select lives_ok($$ delete from public.organization_units where id = tests.id('nord/H') $$,
    'UT-14 a unit without can');

select tests.move_unit('nord/A', 'nord/region');
select throws_ok(
    $$ update public.organization_units set kind = 'district' where id = tests.id('nord/A') $$,
    '23514', format('unit %s has assignments and stays a chapter', tests.id('nord/A')),
    'UT-15 a chapter that is worked in stays one');
select lives_ok(
    $$ update public.organization_units set kind = 'region' where id = tests.id('nord/district') $$,
    'UT-15 what is no chapter may become something else');

select * from finish();
rollback;
