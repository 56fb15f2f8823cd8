-- RF: the refresh of mv_*: what it answers, what it leaves, and that nothing live depends on it.
begin;
\ir helpers.psql
select plan(43);
select tests.settle();

-- live and as of the last refresh: how many activities of nord each of them shows
create function tests.live() returns bigint language sql as $$
    select coalesce(sum(activity_count), 0)::bigint
    from stats.live_chapter_stats
    where organization_id = tests.id('nord')
$$;
create function tests.still() returns bigint language sql as $$
    select coalesce(sum(activity_count), 0)::bigint
    from stats.mv_chapter_stats
    where organization_id = tests.id('nord')
$$;
create function tests.pending() returns bigint language sql as
    $$ select coalesce(sum(change_count), 0)::bigint from stats.pending_changes $$;
create function tests.outcome(p_force boolean default false) returns text language sql as
    $$ select stats.refresh(p_force) ->> 'outcome' $$;
create function tests.started(p_ago interval, p_took bigint default 1)
    returns void language sql as $$
    update stats.stats_refresh_log
    set last_started_at = clock_timestamp() - p_ago, last_duration_ms = p_took
    where only_row
$$;

-- ---------------------------------------------------------------- what it answers

select is(tests.outcome(), 'nothing_pending', 'RF-01 without changes there is nothing to do');
select tests.add_activity();
select is(tests.pending(), 1::bigint, 'RF-02 a change is pending');
select is(tests.live(), 1::bigint, 'RF-02 and visible at once');
select is(tests.still(), 0::bigint, 'RF-02 though not in mv_*');
select stats.fold();
select is(tests.pending(), 1::bigint, 'RF-02 also when it is folded');
select is(tests.live(), 1::bigint, 'RF-02 which changes no number');
create temporary table answer on commit drop as select stats.refresh(p_force := false) as value;
select results_eq(
    $$ select value ->> 'outcome', (value -> 'applied_changes')::bigint from answer $$,
    $$ values ('refreshed', 1::bigint) $$,
    'RF-03 a refresh takes it up');
select set_eq(
    $$ select jsonb_object_keys(value) from answer $$,
    array['outcome', 'refreshed_at', 'applied_changes', 'duration_ms'],
    'RF-04 and says so, with these words');
select ok(
    (select (value ->> 'refreshed_at')::timestamptz = l.last_finished_at
       and (value -> 'duration_ms')::bigint = l.last_duration_ms
       and l.last_started_at <= l.last_finished_at
       and l.last_applied = 1
     from answer, stats.stats_refresh_log l),
    'RF-05 as the record does');
select is(tests.pending(), 0::bigint, 'RF-06 nothing is pending');
select is(tests.still(), 1::bigint, 'RF-06 mv_* have it');
select is(tests.live(), 1::bigint, 'RF-06 and it is counted once');

-- ---------------------------------------------------------------- the debounce

select tests.add_activity();
select is(tests.outcome(), 'debounced', 'RF-07 within ten seconds it is not done again');
select is(tests.pending(), 1::bigint, 'RF-07 the change stays pending');
select is(tests.live(), 2::bigint, 'RF-07 and is visible nevertheless');
select is_empty('select from stats.activity_changes', 'RF-08 it is folded all the same');
select is(stats.refresh(p_force := false) -> 'duration_ms', '0'::jsonb,
    'RF-09 not doing it took no time');
select is(tests.outcome(p_force => true), 'refreshed', 'RF-10 unless it is forced');
select is(tests.still(), 2::bigint, 'RF-10 which does it');
select tests.add_activity();
select tests.started('9 seconds');
select is(tests.outcome(), 'debounced', 'RF-11 nine seconds later it is too early');
select tests.started('10 seconds');
select is(tests.outcome(), 'refreshed', 'RF-11 ten seconds later it is not');
select tests.started('0', 6000);
select is((select refresh_interval from stats.refresh_pace), interval '600 seconds',
    'RF-12 a refresh that takes long comes less often: a hundredth of the time at most');
select tests.add_activity();
select tests.started('599 seconds', 6000);
select is(tests.outcome(), 'debounced', 'RF-12 and not sooner');
select tests.started('-1 hour');
select is(tests.outcome(), 'refreshed',
    'RF-13 a start in the future, of a clock that was set back, holds up nothing');
select is(tests.live(), 4::bigint, 'RF-13 after all that nothing is lost or doubled');
select is(
    (select count(distinct n)
     from (select tests.still() as n
           union all
           select sum(activity_count)::bigint
           from stats.mv_activity_time_series
           where organization_id = tests.id('nord')
           union all
           select sum(activity_count)::bigint
           from stats.mv_peer_mentor_stats
           where organization_id = tests.id('nord')) x),
    1::bigint,
    'RF-13 and all three say the same');

-- ---------------------------------------------------------------- failure

update stats.settings set debounce = '0' where only_row;
select tests.started('1 day', 0);
select tests.add_activity();
drop index stats.mv_chapter_stats_chapter_id_idx;
select is(tests.outcome(), 'failed',
    'RF-14 a refresh that cannot be done answers, it does not raise');
select results_eq(
    $$ select message from stats.errors $$,
    $$ values ('refresh: 55000: '
               'cannot refresh materialized view "stats.mv_chapter_stats" concurrently') $$,
    'RF-15 the error is on record');
select is(public.get_health() ->> 'last_error', (select message from stats.errors),
    'RF-15 and told');
select is(tests.pending(), 1::bigint, 'RF-16 the change stays pending');
select is(tests.live(), 5::bigint, 'RF-16 and is visible nevertheless');
create unique index mv_chapter_stats_chapter_id_idx on stats.mv_chapter_stats (chapter_id);
select tests.started('1 day', 0);
select is(tests.outcome(), 'refreshed', 'RF-17 once it can be done it is');
select is(public.get_health() -> 'last_error', 'null', 'RF-17 and the error is history');

-- ---------------------------------------------------------------- a view without rows
-- as after a restore of the schema alone

refresh materialized view stats.mv_chapter_stats with no data;
select throws_ok('select tests.still()', '55000', null, 'RF-18 it cannot be read');
select is(tests.live(), 5::bigint, 'RF-18 what is live can');
select is(tests.outcome(p_force => true), 'refreshed', 'RF-19 a refresh fills it');
select is(tests.still(), 5::bigint, 'RF-19 with what there is');
drop materialized view stats.mv_activity_time_series cascade;
select is(tests.live(), 5::bigint, 'RF-20 nothing live misses one that is gone');

-- ---------------------------------------------------------------- who is told what

select tests.add_activity();
select tests.add_activity('sor/sol', 'sor/S');
select stats.fold();
select tests.add_activity('sor/sol', 'sor/S');
update stats.unrefreshed_changes
set oldest_at = now() - interval '42 seconds'
where organization_id = tests.id('sor');
select results_eq(
    $$ select (h -> 'pending_changes')::bigint,
              (h -> 'oldest_pending_seconds')::bigint,
              (h -> 'pending_unit_changes')::bigint,
              h ? 'last_sweep_at',
              (h ->> 'last_refreshed_at')::timestamptz = l.last_finished_at
       from public.get_health() h, stats.stats_refresh_log l $$,
    $$ values (3::bigint, 42::bigint, 1::bigint, true, true) $$,
    'RF-24 the service role is told the backlog of all');
select tests.act_as('sor/sven');
select results_eq(
    $$ select pending_changes, oldest_pending_seconds from public.stats_freshness $$,
    $$ values (2::bigint, 42::bigint) $$,
    'RF-25 a member that of their organisation');
select tests.act_as('nord/ola');
select results_eq(
    $$ select pending_changes from public.stats_freshness $$,
    $$ values (1::bigint) $$,
    'RF-25 each their own');
select tests.act_as('nord/ina');
select is_empty($$ select * from public.stats_freshness $$, 'RF-26 whoever is inactive nothing');
select tests.act_as_owner();
select tests.started('1 day', 0);
select tests.act_as_role('service_role');
select is(public.refresh_stats_views() ->> 'outcome', 'refreshed',
    'RF-27 the service role''s door leads to the same refresh');

select * from finish();
rollback;
