-- AU: the audit finds what totals and log have missed, and the rebuild repairs it.
begin;
\ir helpers.psql
\ir hierarchy.psql
select plan(28);
select tests.settle_hierarchy();
create function tests.found(p_chapters text[] default '{nord/A,nord/B,sor/S}')
    returns setof text language sql as $$
    select relation_name || ' ' || tests.unit_name(chapter_id)
    from stats.audit((select array_agg(tests.id(c)) from unnest(p_chapters) c))
$$;
create function tests.live() returns bigint language sql as $$
    select coalesce(sum(activity_count), 0)::bigint
    from stats.live_chapter_stats
    where organization_id = tests.id('nord')
$$;
create function tests.healed() returns integer language sql as
    $$ select stats.heal(array[tests.id('nord/A'), tests.id('nord/B'), tests.id('sor/S')]) $$;

select tests.add_activity('nord/ola', 'nord/A', p_name => 'folded');
select tests.add_activity('nord/liv', 'nord/B');
select tests.add_activity('sor/sol', 'sor/S');
select is_empty('select tests.found()', 'AU-01 what is in the log is no difference');
select stats.fold();
select is_empty('select tests.found()', 'AU-01 nor what is folded');
update public.activities set duration_minutes = 90 where id = tests.id('folded');
select is_empty('select tests.found()', 'AU-01 nor what is both');
select is(tests.healed(), 0, 'AU-02 so there is nothing to repair');

-- ---------------------------------------------------------------- written while triggers were off

alter table public.activities disable trigger user;
select tests.add_activity('nord/ola', 'nord/A', p_name => 'unlogged', p_date => '2026-03-10');
alter table public.activities enable trigger user;
select is(tests.live(), 2::bigint, 'AU-03 what no trigger saw is not counted');
select set_eq(
    'select tests.found()',
    array[
        'daily_totals nord/A', 'monthly_totals nord/A', 'peer_mentor_totals nord/A',
        'yearly_totals nord/A', 'daily_minutes nord/A'],
    'AU-03 and found, in its chapter, in every total');
select is((public.get_health() -> 'differences')::integer, 5, 'AU-04 health tells of it');
select is((public.get_health() ->> 'last_difference_at')::timestamptz > now(), true,
    'AU-04 and since when');
select set_eq('select tests.found(''{nord/B,sor/S}'')', '{}'::text[],
    'AU-05 only where it was asked');
insert into public.hierarchy_stats_cache
    (unit_id, period_year, payload, computed_at, computed_at_mark)
select tests.id(u), 2026, stats.hierarchy_summary(tests.id(u), 2026), now(),
       stats.current_mark(tests.id(u), 2026)
from unnest('{nord/A,nord/B,nord/root}'::text[]) u;
select stats.fold();
update public.hierarchy_stats_cache
set computed_at_mark = stats.current_mark(unit_id, 2026)
where true;
create function tests.outdated() returns setof text language sql as $$
    select tests.unit_name(e.unit_id)
    from public.hierarchy_stats_cache e
    where stats.is_outdated(e)
$$;
select is_empty('select tests.outdated()', 'AU-06 (the hierarchy believes itself fresh)');
delete from stats.unrefreshed_changes where true;
select is(tests.healed(), 1, 'AU-07 one chapter is repaired');
select is(tests.live(), 3::bigint, 'AU-07 and counts right');
select is_empty('select tests.found()', 'AU-07 as the audit agrees');
select set_eq('select tests.outdated()', array['nord/A', 'nord/root'],
    'AU-08 its summary and those above it are outdated');
select stats.fold();
select set_eq('select tests.outdated()', array['nord/A', 'nord/root'],
    'AU-08 also when it is folded');
select isnt_empty(
    $$ select from stats.unrefreshed_changes where organization_id = tests.id('nord') $$,
    'AU-09 and mv_* are known to lack it');

-- ---------------------------------------------------------------- edited by hand

update stats.monthly_totals
set total_minutes = total_minutes + 1
where chapter_id = tests.id('nord/B');
select set_eq('select tests.found()', array['monthly_totals nord/B'],
    'AU-10 one total edited by hand is found');
insert into stats.activity_changes
    (organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, activity_count)
values (tests.id('sor'), tests.id('sor/S'), tests.id('sor/sol'), tests.id('sor/talk'), '2026-01-01',
        1);
select is(tests.healed(), 2, 'AU-11 with a log entry that nothing stands behind, two chapters');
select is_empty('select tests.found()', 'AU-11 are repaired');

-- ---------------------------------------------------------------- the counting rule

select tests.add_activity('nord/ola', 'nord/A', p_minutes => 30, p_name => 'short');
alter table public.counting_rules disable trigger user;
insert into public.counting_rules
    (organization_id, activity_type_id, valid_from, min_duration_minutes, source)
values (tests.id('nord'), tests.id('nord/talk'), '2026-01-01', 45, 'the tests');
alter table public.counting_rules enable trigger user;
select is(tests.live(), 4::bigint, 'AU-12 a rule that no trigger saw is not applied');
select set_eq('select tests.found()', array['joined_rules nord/A', 'joined_rules nord/B'],
    'AU-12 and found by the audit');
select is(tests.healed(), 2, 'AU-13 which has it applied');
select is(tests.live(), 3::bigint, 'AU-13 so that what is too short does not count');
select is_empty('select tests.found()', 'AU-13 and no difference is left');
update public.organization_settings set time_zone = 'Europe/Oslo'
where organization_id = tests.id('nord');
alter table public.activities disable trigger user;
update public.activities set activity_date = activity_date + 1, not_counted_because = 'draft'
where id = tests.id('folded');
alter table public.activities enable trigger user;
select set_eq(
    'select tests.found()',
    array[
        'activities nord/A', 'daily_minutes nord/A', 'daily_totals nord/A', 'monthly_totals nord/A',
        'peer_mentor_totals nord/A', 'yearly_totals nord/A'],
    'AU-14 a day and a reason that were written past the rule are found');
select is(tests.healed(), 1, 'AU-14 and judged anew');
select is(tests.live(), 3::bigint, 'AU-14 back to what it was');
select is_empty('select tests.found()', 'AU-14 with no difference left');

select * from finish();
rollback;
