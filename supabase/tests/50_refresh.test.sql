-- RF: the refresh: what it answers, what it leaves, and that reads are exact before, during and after.
begin;
\ir helpers.psql
select plan(45);
select tests.settle();

-- live and snapshot: how many activities of nord each of them shows
create function tests.live() returns bigint language sql as
    $$ select coalesce(sum(activity_count), 0)::bigint from stats.live_chapter_stats where organization_id = tests.id('nord') $$;
create function tests.snapshot() returns bigint language sql as
    $$ select coalesce(sum(activity_count), 0)::bigint from stats.mv_chapter_stats where organization_id = tests.id('nord') $$;
create function tests.pending() returns bigint language sql as $$ select count(*) from stats.pending_changes $$;
create function tests.outcome(p_force boolean default false) returns text language sql as $$ select stats.refresh(p_force) ->> 'outcome' $$;

-- ---------------------------------------------------------------- what it answers

select is(tests.outcome(), 'nothing_pending', 'RF-01 without changes there is nothing to do');
select tests.add_activity();
select is(tests.pending(), 1::bigint, 'RF-02 a change is pending');
select is(tests.live(), 1::bigint, 'RF-02 and visible at once');
select is(tests.snapshot(), 0::bigint, 'RF-02 though no snapshot has it');
create temporary table answer on commit drop as select stats.refresh(p_force := false) as value;
select results_eq($$ select value ->> 'outcome', (value -> 'applied_changes')::bigint from answer $$, $$ values ('refreshed', 1::bigint) $$,
    'RF-03 a refresh takes it up');
select set_eq($$ select jsonb_object_keys(value) from answer $$, array['outcome', 'refreshed_at', 'applied_changes', 'duration_ms'], 'RF-04 and says so, with these words');
select ok((select (value ->> 'refreshed_at')::timestamptz = l.last_finished_at and (value -> 'duration_ms')::bigint = l.last_duration_ms
                  and l.last_started_at <= l.last_finished_at and l.last_applied = 1 and l.last_error is null
           from answer, stats.stats_refresh_log l), 'RF-05 as the record does');
select is(tests.pending(), 0::bigint, 'RF-06 the log is empty');
select is(tests.snapshot(), 1::bigint, 'RF-06 the snapshot has it');
select is(tests.live(), 1::bigint, 'RF-06 and it is counted once');
select is_empty($$ select matviewname from pg_matviews where schemaname = 'stats' except select relation_name from stats.snapshot_positions $$,
    'RF-07 of every snapshot it is known what it contains');

-- ---------------------------------------------------------------- the debounce

select tests.add_activity();
select is(tests.outcome(), 'debounced', 'RF-08 within ten seconds it is not done again');
select is(tests.pending(), 1::bigint, 'RF-08 the change stays in the log');
select is(tests.live(), 2::bigint, 'RF-08 and is visible nevertheless');
select is(stats.refresh(p_force := false) -> 'duration_ms', '0'::jsonb, 'RF-09 not doing it took no time');
select is(tests.outcome(p_force => true), 'refreshed', 'RF-10 unless it is forced');
select is(tests.snapshot(), 2::bigint, 'RF-10 which does it');
select tests.add_activity();
update stats.stats_refresh_log set last_started_at = clock_timestamp() - interval '9 seconds', last_duration_ms = 1 where true;
select is(tests.outcome(), 'debounced', 'RF-11 nine seconds later it is too early');
update stats.stats_refresh_log set last_started_at = clock_timestamp() - interval '10 seconds' where true;
select is(tests.outcome(), 'refreshed', 'RF-11 ten seconds later it is not');
update stats.stats_refresh_log set last_duration_ms = 6000 where true;
select is((select refresh_interval from stats.refresh_pace), interval '60 seconds', 'RF-12 a refresh that takes long comes less often: a tenth of the time at most');
select tests.add_activity();
update stats.stats_refresh_log set last_started_at = clock_timestamp() - interval '30 seconds' where true;
select is(tests.outcome(), 'debounced', 'RF-12 and not sooner');
update stats.stats_refresh_log set last_duration_ms = 0 where true;
select is(tests.outcome(), 'refreshed', 'RF-12 than it must');
select is(tests.live(), 4::bigint, 'RF-13 after all that nothing is lost or doubled');

-- ---------------------------------------------------------------- failure

update stats.settings set debounce = '0' where true;
update stats.stats_refresh_log set last_duration_ms = 0 where true;
select tests.add_activity();
drop index stats.mv_chapter_stats_chapter_id_idx;
select is(tests.outcome(), 'failed', 'RF-14 a refresh that cannot be done answers, it does not raise');
select results_eq($$ select last_error, last_error_at is not null from stats.stats_refresh_log $$,
    $$ values ('55000: cannot refresh materialized view "stats.mv_chapter_stats" concurrently', true) $$, 'RF-15 the error is on record');
select is(tests.pending(), 1::bigint, 'RF-16 the change stays in the log');
select is(tests.live(), 5::bigint, 'RF-16 and is visible nevertheless');
create unique index mv_chapter_stats_chapter_id_idx on stats.mv_chapter_stats (chapter_id);
select is(tests.outcome(), 'refreshed', 'RF-17 once it can be done it is');
select is((select last_error from stats.stats_refresh_log), null, 'RF-17 and the error is history');
select is(tests.live(), 5::bigint, 'RF-17 with nothing lost');

-- ---------------------------------------------------------------- one view at a time

update stats.stats_refresh_log set last_duration_ms = 0 where true;
select tests.add_activity(p_name => 'late');
refresh materialized view concurrently stats.mv_activity_time_series;
select is(tests.live(), 6::bigint, 'RF-18 a view refreshed alone is counted once');
select is((select sum(activity_count)::bigint from stats.live_time_series where organization_id = tests.id('nord')), 6::bigint, 'RF-18 as are the others');
select is(tests.pending(), 1::bigint, 'RF-19 the change stays until all have it');
delete from public.activities where id = tests.id('late');
refresh materialized view stats.mv_peer_mentor_stats;
select is(tests.live(), 5::bigint, 'RF-20 a deletion after that is taken away once');
select is(tests.outcome(), 'refreshed', 'RF-21 then all are refreshed');
select is(tests.pending(), 0::bigint, 'RF-21 and the log is empty');
select is(tests.live(), 5::bigint, 'RF-21 and the number is the same');

-- ---------------------------------------------------------------- the repair

select tests.add_activity();
delete from stats.activity_changes where true;
select is(tests.live(), 5::bigint, 'RF-22 a damaged log shows a wrong number');
select lives_ok($$ select stats.rebuild() $$, 'RF-23 a rebuild');
select is(tests.live(), 6::bigint, 'RF-23 repairs it');

-- ---------------------------------------------------------------- who is told what

select tests.add_activity();
select tests.add_activity('sor/sol', 'sor/S');
select tests.add_activity('sor/sol', 'sor/S');
update stats.activity_changes set changed_at = now() - interval '42 seconds' where organization_id = tests.id('sor');
select results_eq($$ select (h -> 'pending_changes')::bigint, (h -> 'oldest_pending_seconds')::bigint, h ? 'last_sweep_at', h -> 'last_error',
                            (h ->> 'last_refreshed_at')::timestamptz = l.last_finished_at
                     from public.get_health() h, stats.stats_refresh_log l $$,
    $$ values (3::bigint, 42::bigint, true, 'null'::jsonb, true) $$, 'RF-24 the service role is told the backlog of all');
select tests.act_as('sor/sven');
select results_eq($$ select pending_changes, oldest_pending_seconds from public.stats_freshness $$, $$ values (2::bigint, 42::bigint) $$,
    'RF-25 a member that of their organisation');
select tests.act_as('nord/ola');
select results_eq($$ select pending_changes from public.stats_freshness $$, $$ values (1::bigint) $$, 'RF-25 each their own');
select tests.act_as('nord/ina');
select is_empty($$ select * from public.stats_freshness $$, 'RF-26 whoever is inactive nothing');
select tests.act_as_owner();
update stats.stats_refresh_log set last_duration_ms = 0 where true;
select tests.act_as_role('service_role');
select is(public.refresh_stats_views() ->> 'outcome', 'refreshed', 'RF-27 the service role''s door leads to the same refresh');

select * from finish();
rollback;
