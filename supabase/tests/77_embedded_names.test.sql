-- EN: names beside ids, and a unit with its parent and children.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(16);
select tests.settle_hierarchy();
select tests.add_activity('nord/ola', 'nord/A'), tests.add_activity('sor/sol', 'sor/S');
select stats.refresh(p_force := true);
-- what a row of a relation leads to, as PostgREST joins it
create function tests.names(p_relation text, p_of text, p_column text) returns setof text
    language plpgsql as $$
begin
    return query execute format(
        'select distinct o.%I::text from public.%I r cross join lateral public.%I(r) o order by 1',
        p_column, p_relation, p_of);
end $$;
grant execute on function tests.names(text, text, text) to public;

select tests.act_as('nord/kari');
select bag_eq(
    format($$ select tests.names(%L, 'chapters', 'id')::uuid $$, relation),
    format($$ select distinct chapter_id from public.%I $$, relation),
    format('EN-01 each chapter of %s has its row', relation))
from unnest(array[
    'chapter_stats', 'peer_mentor_stats', 'activity_time_series', 'mv_chapter_stats',
    'mv_peer_mentor_stats', 'mv_activity_time_series']) relation;
select isnt_empty(
    $$ select from public.chapter_stats $$, 'EN-02 and there are some');
select bag_eq(
    format($$ select tests.names(%L, 'profiles', 'id')::uuid $$, relation),
    format($$ select distinct peer_mentor_id from public.%I $$, relation),
    format('EN-03 each person of %s has their row', relation))
from unnest(array['peer_mentor_stats', 'mv_peer_mentor_stats']) relation;
select bag_eq(
    $$ select tests.names('coordinator_monthly_stats', 'profiles', 'id')::uuid $$,
    $$ select distinct coordinator_id from public.coordinator_monthly_stats $$,
    'EN-04 and each coordinator');
select bag_eq(
    $$ select tests.names('coordinator_monthly_stats', 'activity_types', 'id')::uuid $$,
    $$ select distinct activity_type_id from public.coordinator_monthly_stats $$,
    'EN-05 and each type');

select bag_eq(
    $$ select tests.unit_name(c.id)
       from public.organization_units u cross join lateral public.children(u) c
       where u.parent_id is null $$,
    $$ select tests.unit_name(c.id)
       from public.organization_units c
       where c.parent_id = (select id from public.organization_units where parent_id is null) $$,
    'EN-06 the children of a unit');
select is(
    (select p.id from public.organization_units u cross join lateral public.parent(u) p
     where u.id = tests.id('nord/leaf')),
    (select u.parent_id from public.organization_units u where u.id = tests.id('nord/leaf')),
    'EN-07 its parent');
select is_empty(
    $$ select from public.organization_units u cross join lateral public.parent(u) p
       where u.parent_id is null $$,
    'EN-08 the root has none');

-- a row made up with another organisation's ids leads nowhere
select is_empty(
    format($$ select from public.chapters(row(%L, 1, 1, 1)::public.chapter_stats) $$,
           tests.id('sor/S')),
    'EN-09 no name of another organisation');
select tests.act_as('sor/sven');
select isnt_empty(
    format($$ select from public.chapters(row(%L, 1, 1, 1)::public.chapter_stats) $$,
           tests.id('sor/S')),
    'EN-10 whose own members read it');

select * from finish();
rollback;
