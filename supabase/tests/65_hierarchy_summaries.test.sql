-- HS: what a subtree adds up to, for one unit and for all.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(31);

create function tests.add(
    p_unit text, p_mentor text, p_type text, p_at timestamptz, p_minutes integer,
    p_participants integer, p_contact text, p_name text default null)
    returns void language sql as $$
    insert into public.activities
        (id, organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id, occurred_at,
         duration_minutes, participant_count, contact_id, summary)
    values (coalesce(tests.id(p_name), gen_random_uuid()), tests.organization(p_unit),
            tests.id(p_unit), tests.id(p_mentor), tests.id(p_mentor), tests.id(p_type), p_at,
            p_minutes, p_participants, tests.id(p_contact), 'Told me about her illness')
$$;
create function tests.summary(p_unit text, p_year integer default 2025)
    returns jsonb language sql as $$
    select stats.hierarchy_summary(tests.id(p_unit), p_year)
$$;
create function tests.figures(p_unit text, p_year integer default 2025)
    returns text language sql as $$
    select format(
        '%s activities, %s h, %s participants, %s contacts, %s mentors, %s chapters, %s NOK',
        s ->> 'activity_count', s ->> 'total_hours', s ->> 'participant_count',
        s ->> 'distinct_contacts', s ->> 'active_peer_mentors', s ->> 'chapters_reporting',
        s ->> 'approved_expenses_nok')
    from tests.summary(p_unit, p_year) s
$$;

select is(
    tests.figures('nord/root'),
    '0 activities, 0.00 h, 0 participants, 0 contacts, 0 mentors, 0 chapters, 0.00 NOK',
    'HS-01 where nothing happened everything is zero');
select is(tests.summary('nord/root') -> 'categories', '{}', 'HS-01 and there are no categories');

select tests.add('nord/A', 'nord/ola', 'nord/talk', '2025-01-01 00:00Z', 50, 3, 'ann', 'bus trip'),
       tests.add('nord/A', 'nord/liv', 'nord/talk', '2025-06-01 12:00Z', 50, 1, 'ann'),
       tests.add('nord/B', 'nord/liv', 'nord/visit', '2025-06-02 12:00Z', 50, 1, 'ben'),
       tests.add('nord/leaf', 'nord/cato', 'nord/visit', '2025-12-31 23:59:59Z', 30, 2, 'ann'),
       tests.add('nord/leaf', 'nord/cato', 'nord/talk', '2025-12-31 23:59:59Z', 30, 2, null),
       tests.add('nord/W', 'nord/cato', 'nord/talk', '2025-03-01 12:00Z', 60, 1, 'cay'),
       tests.add('nord/A', 'nord/ola', 'nord/talk', '2024-12-31 23:59:59Z', 90, 1, 'ann'),
       tests.add('nord/east', 'nord/ola', 'nord/talk', '2025-03-01 12:00Z', 15, 1, 'dan'),
       tests.add('sor/S', 'sor/sol', 'sor/talk', '2025-03-01 12:00Z', 600, 9, 'ann');
select tests.add_activity(p_status => 'draft'), tests.add_activity(p_status => 'rejected');
insert into public.expense_claims (organization_id, activity_id, amount_nok)
values (tests.id('nord'), tests.id('bus trip'), 80.50),
       (tests.id('nord'), tests.id('bus trip'), 19.50),
       (tests.id('nord'), tests.id('bus trip'), 1000);
update public.expense_claims
set status = 'approved'
where activity_id = tests.id('bus trip')
  and amount_nok < 1000;

-- ---------------------------------------------------------------- one unit

select is(
    tests.figures('nord/A'),
    '2 activities, 1.67 h, 4 participants, 1 contacts, 2 mentors, 1 chapters, 100.00 NOK',
    'HS-02 a chapter: one person met twice counts once');
select is(
    tests.figures('nord/region'),
    '6 activities, 3.75 h, 10 participants, 3 contacts, 3 mentors, 4 chapters, 100.00 NOK',
    'HS-03 a region: one person met in two chapters counts once, as does a mentor; hours are '
    'rounded once');
select is(
    tests.figures('nord/root'),
    '7 activities, 4.75 h, 11 participants, 4 contacts, 3 mentors, 5 chapters, 100.00 NOK',
    'HS-04 the whole organisation, and nothing of another');
select is(
    tests.figures('nord/east'),
    '3 activities, 1.25 h, 5 participants, 2 contacts, 2 mentors, 2 chapters, 0.00 NOK',
    'HS-05 what was registered on a unit in the middle counts there');
select is(
    tests.figures('nord/A', 2024),
    '1 activities, 1.50 h, 1 participants, 1 contacts, 1 mentors, 1 chapters, 0.00 NOK',
    'HS-06 the last second of a year (UTC) belongs to it');
select is(
    tests.figures('nord/root', 2023),
    '0 activities, 0.00 h, 0 participants, 0 contacts, 0 mentors, 0 chapters, 0.00 NOK',
    'HS-07 a year in which nothing happened');

-- ---------------------------------------------------------------- categories

select is(tests.summary('nord/root') -> 'categories', '{"uncategorised": 7}',
    'HS-08 types without category are counted as such');
insert into public.bufdir_category_mappings
values (1, tests.id('nord/talk'), 'OLD'), (2, tests.id('nord/talk'), 'SAMTALE');
select tests.publish(1), tests.publish(2);
select is(tests.summary('nord/root') -> 'categories', '{"SAMTALE": 5, "uncategorised": 2}',
    'HS-09 the newest of those that are valid holds');
insert into public.bufdir_category_mappings
values (2, tests.id('nord/visit'), 'SAMTALE'), (9, tests.id('sor/talk'), 'X');
select is(tests.summary('nord/root') -> 'categories', '{"SAMTALE": 7}',
    'HS-10 of this organisation; types of one category are added up');
select is(tests.summary('nord/A') -> 'categories', '{"SAMTALE": 2}', 'HS-10 in a chapter, too');

-- ---------------------------------------------------------------- these fields, nothing personal

select set_eq(
    $$ select jsonb_object_keys(tests.summary('nord/root')) $$,
    array[
        'activity_count', 'total_hours', 'participant_count', 'distinct_contacts',
        'active_peer_mentors', 'chapters_reporting', 'categories', 'approved_expenses_nok'],
    'HS-11 a summary has exactly these fields');
select set_eq(
    $$ select distinct jsonb_typeof(value)
       from jsonb_each(tests.summary('nord/root') - 'categories') $$,
    array['number'],
    'HS-12 numbers');
select ok(
    not exists (
        select from unnest('{ann,ben,cay,dan,bus trip,nord/ola,nord/liv,nord/cato}'::text[]) n
        where strpos(tests.summary('nord/root')::text, tests.id(n)::text) > 0),
    'HS-13 nobody''s id');
select unalike(tests.summary('nord/root')::text, '%illness%', 'HS-13 nobody''s story');

-- ---------------------------------------------------------------- all units at once

select is((select count(*) from stats.hierarchy_summaries(tests.id('nord'), 2025)), 14::bigint,
    'HS-14 every unit of the organisation has a summary');
create function tests.differences(p_year integer) returns setof text language sql as $$
    select format('%s: %s <> %s', tests.unit_name(s.unit_id), s.payload,
                  stats.hierarchy_summary(s.unit_id, p_year))
    from public.organizations o
    cross join lateral stats.hierarchy_summaries(o.id, p_year) s
    -- the large data set would take minutes
    where (select count(*) from public.organization_units u where u.organization_id = o.id) < 100
      and s.payload <> stats.hierarchy_summary(s.unit_id, p_year)
$$;
select is_empty(format('select tests.differences(%s)', y),
    format('HS-15 in %s each is the same as computed alone, in every organisation', y))
from generate_series(2023, 2026) y;
select stats.fold();
select is_empty($$ select tests.differences(2025) $$, 'HS-16 also when the totals have it all');
select is(
    tests.figures('nord/root'),
    '7 activities, 4.75 h, 11 participants, 4 contacts, 3 mentors, 5 chapters, 100.00 NOK',
    'HS-16 and as before');
update public.activities
set duration_minutes = 110, approved_expenses_nok = approved_expenses_nok
where id = tests.id('bus trip');
delete from public.activities where unit_id = tests.id('nord/W');
select tests.add('nord/A', 'nord/kari', 'nord/visit', '2025-06-01 12:00Z', 60, 1, 'eve');
select is_empty($$ select tests.differences(2025) $$, 'HS-17 and when changes came after it');
select is(
    tests.figures('nord/root'),
    '7 activities, 5.75 h, 11 participants, 4 contacts, 4 mentors, 4 chapters, 100.00 NOK',
    'HS-17 both right');
update public.organization_units
set parent_id = tests.id('nord/west')
where id = tests.id('nord/east');
select is_empty($$ select tests.differences(2025) $$, 'HS-18 and when a unit has moved');
select is(
    tests.figures('nord/west'),
    '3 activities, 1.25 h, 5 participants, 2 contacts, 2 mentors, 2 chapters, 0.00 NOK',
    'HS-18 with all that is below it');

-- ---------------------------------------------------------------- storing them all

select tests.settle_hierarchy();
select is(public.precompute_hierarchy(tests.id('nord'), 2025), 14,
    'HS-19 the nightly computation stores every unit');
select is_empty(
    $$ select
       from public.hierarchy_stats_cache e
       where e.payload is distinct from stats.hierarchy_summary(e.unit_id, e.period_year)
         or stats.is_outdated(e) $$,
    'HS-19 each with the summary computed alone');
select is(public.precompute_hierarchy(tests.id('nowhere'), 2025), 0,
    'HS-20 of an organisation that is not there none');
select tests.act_as('nord/anne');
select throws_ok(
    $$ select public.precompute_hierarchy(tests.id('nord'), 2025) $$,
    '42501', 'permission denied for function precompute_hierarchy',
    'HS-21 an org admin may not');

select * from finish();
rollback;
