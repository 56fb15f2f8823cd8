-- SU: finding a unit by a few letters.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(47);
select tests.settle_hierarchy();

insert into public.organization_units (id, organization_id, parent_id, kind, name)
select tests.id('nord/' || n), tests.id('nord'), tests.id('nord/west'), 'local', n
from unnest(array[
    'Ås', 'Ålesund', 'Bærum', 'Bodø', 'Øvre Eiker', 'Nedre Eiker', 'Eikerdal', 'Saint-Étienne',
    'Trondheim', 'Kristiansand', 'Kristiansund', '100% Oslo', 'A_C', 'ABC', 'back\slash',
    'Oslo  Øst']) n;
insert into public.organization_units (id, organization_id, parent_id, kind, name)
values (tests.id('sor/Trondheim'), tests.id('sor'), tests.id('sor/root'), 'local', 'Trondheim');

create function tests.found(p_query text, p_limit integer default 50)
    returns setof text language sql as $$
    select s.name
    from public.search_units(p_query, p_limit) with ordinality s
    order by s.ordinality
$$;
create function tests.first(p_query text) returns text language sql as $$
    select tests.found(p_query) limit 1
$$;
grant execute on all functions in schema tests to public;
select tests.act_as('nord/kari');

-- ---------------------------------------------------------------- letters

select is(tests.first(query), name, format('SU-01 %L finds %L first', query, name))
from (values ('Trondheim', 'Trondheim'), ('trond', 'Trondheim'), ('TROND', 'Trondheim'),
             ('  trond ', 'Trondheim'), ('ås', 'Ås'), ('as', 'Ås'), ('Alesund', 'Ålesund'),
             ('ÅLESUND', 'Ålesund'), ('baerum', 'Bærum'), ('bær', 'Bærum'), ('bodo', 'Bodø'),
             ('BODØ', 'Bodø'), ('ovre', 'Øvre Eiker'), ('etienne', 'Saint-Étienne'),
             ('aalesund', 'Ålesund'), ('AAlesund', 'Ålesund'), ('bodoe', 'Bodø'),
             ('Oevre Eiker', 'Øvre Eiker'), ('Kristiansandd', 'Kristiansand'),
             ('trodnheim', 'Trondheim')) q (query, name);

-- ---------------------------------------------------------------- order

select results_eq($$ select tests.found('eiker') $$, array['Eikerdal', 'Øvre Eiker', 'Nedre Eiker'],
    'SU-02 what begins so comes before a word that begins so');
select ok(
    (select array_position(array_agg(f),
         'Kristiansund') > array_position(array_agg(f), 'Kristiansand')
     from tests.found('kristiansand') f),
    'SU-03 then what is only similar');
select results_eq($$ select tests.found('dal') $$, array['Eikerdal'],
    'SU-04 letters inside a word are found, too');
select results_eq(
    $$ select name, parent_name, kind::text, id = tests.id('nord/Trondheim'),
              parent_id = tests.id('nord/west')
       from public.search_units('trondheim')
       limit 1 $$,
    $$ values ('Trondheim', 'west', 'local', true, true) $$,
    'SU-05 each with what a picker shows');
select is((select parent_name from public.search_units('root')), null,
    'SU-05 the root has no parent');
select is_empty($$ select tests.found('xyzzyq') $$, 'SU-06 what is not there is not found');

-- ---------------------------------------------------------------- signs with a meaning elsewhere

select results_eq($$ select tests.found('%') $$, array['100% Oslo'],
    'SU-07 a percent sign is a percent sign');
select ok('A_C' in (select tests.found('a_c')), 'SU-08 an underscore is an underscore');
select isnt(tests.first('a_c'), 'ABC', 'SU-08 and no other letter');
select results_eq($$ select tests.found('_') $$, array['A_C'], 'SU-08 alone, too');
select results_eq($$ select tests.found('\') $$, array['back\slash'],
    'SU-09 a backslash is a backslash');
select lives_ok($$ select tests.found($q$'; drop table public.organization_units; --$q$) $$,
    'SU-10 a quote is a quote');
select lives_ok($$ select tests.found(repeat('å%_\', 1000)) $$,
    'SU-10 and much of it is not too much');

-- ---------------------------------------------------------------- how many

select tests.act_as_owner();
insert into public.organization_units (organization_id, parent_id, kind, name)
select tests.id('nord'), tests.id('nord/west'), 'local', 'Mange ' || n
from generate_series(1, 60) n;
select tests.act_as('nord/kari');
select is((select count(*) from tests.found('mange')), 50::bigint, 'SU-11 at most fifty');
select is((select count(*) from tests.found('mange', 1000)), 50::bigint,
    'SU-11 whatever is asked for');
select is((select count(*) from tests.found('mange', 3)), 3::bigint, 'SU-11 or fewer');
select is((select count(*) from tests.found('mange', null)), 50::bigint,
    'SU-12 no number is the usual one');
select is((select count(*) from tests.found('mange', -1)), 1::bigint,
    'SU-12 and less than one is one');

-- ---------------------------------------------------------------- whose

select is((select count(*) from tests.found('trondheim') f where f = 'Trondheim'), 1::bigint,
    'SU-13 another organisation''s is not found');
select tests.act_as('sor/sol');
select results_eq(
    $$ select id from public.search_units('trondheim') $$,
    array[tests.id('sor/Trondheim')],
    'SU-13 but by its own members');
select tests.act_as('nord/ina');
select is_empty($$ select tests.found('trondheim') $$, 'SU-14 whoever is inactive finds nothing');
select tests.act_as_role('anon');
select throws_ok(
    $$ select * from public.search_units('trondheim') $$,
    '42501', 'permission denied for function search_units',
    'SU-15 anon may not ask');

-- ---------------------------------------------------------------- nothing asked for

select tests.act_as('nord/kari');
select is_empty($$ select tests.found('') $$,
    'SU-16 where nothing was read yet, nothing asked for finds nothing');
select tests.act_as_owner();
insert into public.hierarchy_node_access (unit_id, reads, last_read_at)
values (tests.id('nord/Bodø'), 1, now() - interval '2 days'),
       (tests.id('nord/Ås'), 1, now()),
       (tests.id('nord/Trondheim'), 99, now() - interval '1 hour'),
       (tests.id('sor/Trondheim'), 99, now());
select tests.act_as('nord/kari');
select results_eq(format('select tests.found(%L)', q), array['Ås', 'Trondheim', 'Bodø'],
    format('SU-17 %L finds what was read last, the last first', q))
from unnest(array['', '   ', null]) q;
select results_eq($$ select tests.found('', 2) $$, array['Ås', 'Trondheim'],
    'SU-18 as many as asked for');

select * from finish();
rollback;
