-- FO: the fold: what it moves, what it leaves, and that no number changes.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(27);
select tests.settle_hierarchy();

create function tests.first_name(p_profile_id uuid) returns text language sql as $$
    select split_part(p.display_name, '/', 2) from public.profiles p where p.id = p_profile_id
$$;
-- Each total of nord, as text: what is added up, and how.
create function tests.totals(p_name text) returns setof text language plpgsql as $$
begin
    return query execute format(
        'select concat_ws('' '', u.name, %s, t.activity_count, t.total_minutes, '
        '                 t.participant_count, trim_scale(t.approved_nok)) '
        'from stats.%I t join public.organization_units u on u.id = t.chapter_id '
        'where t.organization_id = tests.id(''nord'') order by 1',
        case p_name
            when 'daily_totals' then 't.bucket_date'
            when 'monthly_totals' then 't.activity_month'
            when 'peer_mentor_totals' then 'tests.first_name(t.peer_mentor_id)'
            else 't.period_year, tests.first_name(t.peer_mentor_id), '
                 '(select y.code from public.activity_types y where y.id = t.activity_type_id)'
        end, p_name);
end $$;
create function tests.live() returns setof text language sql as $$
    select l::text
    from stats.live_time_series l
    where l.organization_id = tests.id('nord')
    union all
    select l::text
    from stats.live_chapter_stats l
    where l.organization_id = tests.id('nord')
    union all
    select l::text
    from stats.live_peer_mentor_stats l
    where l.organization_id = tests.id('nord')
$$;

-- ---------------------------------------------------------------- what it moves

select tests.add_activity('nord/ola', 'nord/A', '2025-12-31 23:00Z', 20, p_participants => 2);
select tests.add_activity('nord/ola', 'nord/A', '2026-01-01 10:00Z', 30);
select tests.add_activity(
    'nord/liv', 'nord/A', '2026-01-31 23:59Z', 40, p_type => 'nord/visit', p_name => 'visit');
create temporary table before on commit drop as select tests.live() as row;
select is_empty($$ select tests.totals('daily_totals') $$,
    'FO-01 before the fold there are no totals');
select is(
    (select stats.fold() - 'organizations'),
    '{"outcome": "folded", "units": 1, "invalidated": 6}',
    'FO-02 it says what it outdated: one unit, three summaries in two years');
select is_empty('select from stats.activity_changes', 'FO-03 the log is empty');
select results_eq(
    $$ select tests.totals('daily_totals') $$,
    array['A 2025-12-31 1 20 2 0', 'A 2026-01-01 1 30 1 0', 'A 2026-01-31 1 40 1 0'],
    'FO-04 it is in the totals by day');
select results_eq(
    $$ select tests.totals('monthly_totals') $$,
    array['A 2025-12-01 1 20 2 0', 'A 2026-01-01 2 70 2 0'],
    'FO-04 by month');
select results_eq(
    $$ select tests.totals('peer_mentor_totals') $$,
    array['A liv 1 40 1 0', 'A ola 2 50 3 0'],
    'FO-04 by peer mentor');
select results_eq(
    $$ select tests.totals('yearly_totals') $$,
    array['A 2025 ola talk 1 20 2 0', 'A 2026 liv visit 1 40 1 0', 'A 2026 ola talk 1 30 1 0'],
    'FO-04 and by year and type');
select set_eq('select tests.live()', 'select row from before',
    'FO-05 and no live number has changed');
select is(stats.fold() -> 'invalidated', '0', 'FO-06 a second fold has nothing to do');
select set_eq('select tests.live()', 'select row from before', 'FO-06 and changes nothing');

-- ---------------------------------------------------------------- what it adds up

insert into public.expense_claims (activity_id, amount_nok, status, organization_id)
values (tests.id('visit'), 250.50, 'approved', tests.id('nord'));
select tests.add_activity('nord/liv', 'nord/A', '2026-01-31 08:00Z', 5);
select stats.fold();
select results_eq(
    $$ select tests.totals('daily_totals') $$,
    array['A 2025-12-31 1 20 2 0', 'A 2026-01-01 1 30 1 0', 'A 2026-01-31 2 45 2 250.5'],
    'FO-07 what comes later is added');
select results_eq(
    $$ select tests.totals('yearly_totals') $$,
    array[
        'A 2025 ola talk 1 20 2 0', 'A 2026 liv talk 1 5 1 0', 'A 2026 liv visit 1 40 1 250.5',
        'A 2026 ola talk 1 30 1 0'],
    'FO-07 each where it belongs');
delete from public.expense_claims where activity_id = tests.id('visit');
delete from public.activities
where organization_id = tests.id('nord')
  and occurred_at >= '2026-01-31Z';
select results_eq(
    'select count(*) from stats.live_time_series where organization_id = tests.id(''nord'')',
    array[2::bigint],
    'FO-08 a day that comes down to nothing is hidden at once');
select stats.fold();
select results_eq(
    $$ select tests.totals('daily_totals') $$,
    array['A 2025-12-31 1 20 2 0', 'A 2026-01-01 1 30 1 0'],
    'FO-09 and removed by the fold');
select results_eq($$ select tests.totals('peer_mentor_totals') $$, array['A ola 2 50 3 0'],
    'FO-09 as is who has none left');
select results_eq(
    $$ select tests.totals('monthly_totals') $$,
    array['A 2025-12-01 1 20 2 0', 'A 2026-01-01 1 30 1 0'],
    'FO-09 while a month that keeps some stays');

-- ---------------------------------------------------------------- what only outdates

select tests.add_activity('nord/ola', 'nord/leaf', '2026-05-01Z', p_name => 'met');
select stats.fold();
delete from stats.marks where true;
update public.activities set contact_id = tests.id('somebody') where id = tests.id('met');
select is((stats.fold() -> 'invalidated')::integer, 5,
    'FO-10 a contact that changes alone outdates the leaf and its ancestors');
select results_eq(
    $$ select count(*) from stats.daily_totals where organization_id = tests.id('nord') $$,
    array[3::bigint],
    'FO-10 and no total');
select results_eq(
    $$ select marks, period_year from stats.marks where unit_id = tests.id('nord/root') $$,
    $$ values (1::bigint, 2026) $$,
    'FO-10 once, in its year');

-- ---------------------------------------------------------------- what goes wrong fails nobody

select tests.add_activity('nord/ola', 'nord/A');
alter function private.broadcast_invalidation(uuid, uuid[], date[])
    rename to broadcast_invalidation_gone;
select is(stats.fold() ->> 'outcome', 'folded',
    'FO-11 a broadcast that fails does not fail the fold');
select is_empty('select from stats.activity_changes', 'FO-11 which has done its work');
select matches(
    (select message from stats.errors order by id desc limit 1),
    '^broadcast: 42883: function private.broadcast_invalidation',
    'FO-11 and says so');
alter function private.broadcast_invalidation_gone(uuid, uuid[], date[])
    rename to broadcast_invalidation;

-- ---------------------------------------------------------------- the measures

select set_eq(
    $$ select c.relname::text collate "default"
       from pg_inherits i
       join pg_class c on c.oid = i.inhrelid
       where i.inhparent = 'stats.measures'::regclass $$,
    $$ select name::text from stats.totals union all select 'activity_changes' $$,
    'FO-12 the log and every totals table have every measure');
select is_empty('select from only stats.measures', 'FO-12 of which there are no rows apart');
select is_empty(
    $$ select t.name, k
       from stats.totals t, unnest(string_to_array(t.keys, ', ')) k
       where not exists (
           select
           from pg_attribute a
           where a.attrelid = ('stats.' || t.name)::regclass
             and a.attname = k) $$,
    'FO-13 the keys of the totals are those of the tables');
select tests.commit();
alter table stats.measures add column proxy_count bigint not null default 0;
create or replace view stats.contributions as
    select a.organization_id, a.chapter_id, a.peer_mentor_id, a.activity_type_id, a.bucket_date,
           a.contact_id,
           1                              as activity_count,
           a.duration_minutes             as total_minutes,
           a.participant_count,
           a.approved_expenses_nok        as approved_nok,
           a.is_proxy_registered::integer as proxy_count
    from stats.countable_activities a;
select stats.define_change_triggers();
select tests.add_activity('nord/liv', 'nord/A', '2026-03-10Z', p_by => 'nord/kari');
select stats.fold();
select is(
    (select proxy_count
     from stats.daily_totals
     where chapter_id = tests.id('nord/A')
       and bucket_date = '2026-03-10'),
    1::bigint,
    'FO-14 a measure that comes later is logged and folded');
select is_empty('select stats.audit(array[tests.id(''nord/A'')])', 'FO-14 and audited');

select * from finish();
rollback;
