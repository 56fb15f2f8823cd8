-- ST: who sees which statistics, live and as of the last refresh.
begin;
\ir helpers.psql
select plan(50);
select tests.settle();

create table tests.names as select tests.id(n) as id, split_part(n, '/', 2) as name
    from unnest(array[
        'nord/A', 'nord/B', 'nord/C', 'sor/S',
        'nord/ola', 'nord/liv', 'nord/cato', 'sor/sol', 'nord/kari', 'nord/cora', 'sor/sven',
        'nord/talk', 'nord/visit', 'sor/talk']) n;
grant select on tests.names to public;
create function tests.name(p_id uuid) returns text language sql stable as $$
    select name from tests.names where id = p_id
$$;
grant execute on function tests.name(uuid) to public;

-- mv_* have these
select tests.add_activity('nord/ola', 'nord/A', '2026-03-10 12:00Z', 60, p_name => 'with expenses');
select tests.add_activity('nord/ola', 'nord/A', '2026-03-11 12:00Z', 40);
select tests.add_activity('nord/ola', 'nord/A', '2026-03-12 12:00Z', 500, 'draft');
select tests.add_activity('nord/liv', 'nord/A', '2026-03-10 23:59Z', 30);
select tests.add_activity('nord/liv', 'nord/B', '2026-04-02 00:00Z', 90);
select tests.add_activity('nord/cato', 'nord/C', '2026-03-10 12:00Z', 60);
select tests.add_activity('sor/sol', 'sor/S', '2026-03-10 12:00Z', 15);
select stats.refresh(p_force := true);
-- these came later
select tests.add_activity('nord/ola', 'nord/A', '2026-03-11 12:00Z', 20, p_type => 'nord/visit');
select tests.add_activity('nord/cato', 'nord/C', '2026-05-01 12:00Z', 45);
insert into public.expense_claims (activity_id, amount_nok, status, organization_id)
values (tests.id('with expenses'), 250.50, 'approved', tests.id('nord')),
       (tests.id('with expenses'), 99, 'pending', tests.id('nord'));

create function tests.chapters(p_relation text default 'chapter_stats')
    returns text language sql as $$
    select format(
        'select tests.name(chapter_id), activity_count, total_hours, active_peer_mentors '
        'from public.%I order by 1',
        p_relation)
$$;
create function tests.mentors(p_relation text default 'peer_mentor_stats')
    returns text language sql as $$
    select format(
        'select tests.name(peer_mentor_id), tests.name(chapter_id), activity_count, total_hours '
        'from public.%I order by 1, 2',
        p_relation)
$$;
create function tests.days(p_relation text default 'activity_time_series')
    returns text language sql as $$
    select format(
        'select bucket_date::text, tests.name(chapter_id), activity_count, total_hours '
        'from public.%I order by 1, 2',
        p_relation)
$$;
create function tests.months() returns text language sql as $$
    select 'select tests.name(coordinator_id), activity_month::text, tests.name(activity_type_id), '
           'activity_count, total_duration_minutes, total_hours, approved_expenses_nok '
           'from public.coordinator_monthly_stats order by 1, 2, 3'
$$;
grant execute on function
    tests.chapters(text), tests.mentors(text), tests.days(text), tests.months()
    to public;

-- ---------------------------------------------------------------- a coordinator

select tests.act_as('nord/kari');
select results_eq(
    tests.chapters(),
    $$ values ('A', 4::bigint, 2.50, 2::bigint), ('B', 1, 1.50, 1) $$,
    'ST-01 the coordinator of A and B sees A and B, not C');
select results_eq(
    tests.chapters('mv_chapter_stats'),
    $$ values ('A', 3::bigint, 2.17, 2::bigint), ('B', 1, 1.50, 1) $$,
    'ST-02 and theirs in mv_*');
select results_eq(
    tests.mentors(),
    $$ values ('liv', 'A', 1::bigint, 0.50), ('liv', 'B', 1, 1.50), ('ola', 'A', 3, 2.00) $$,
    'ST-03 whoever works there');
select results_eq(
    tests.mentors('mv_peer_mentor_stats'),
    $$ values ('liv', 'A', 1::bigint, 0.50), ('liv', 'B', 1, 1.50), ('ola', 'A', 2, 1.67) $$,
    'ST-04 and theirs in mv_*');
select results_eq(
    tests.days(),
    $$ values ('2026-03-10', 'A', 2::bigint, 1.50), ('2026-03-11', 'A', 2, 1.00),
              ('2026-04-02', 'B', 1, 1.50) $$,
    'ST-05 day by day, in UTC');
select results_eq(
    tests.days('mv_activity_time_series'),
    $$ values ('2026-03-10', 'A', 2::bigint, 1.50), ('2026-03-11', 'A', 1, 0.67),
              ('2026-04-02', 'B', 1, 1.50) $$,
    'ST-06 and theirs in mv_*');
select results_eq(
    tests.months(),
    $$ values ('kari', '2026-03-01', 'talk', 3::bigint, 130::bigint, 2.17, 250.50),
              ('kari', '2026-03-01', 'visit', 1, 20, 0.33, 0.00),
              ('kari', '2026-04-01', 'talk', 1, 90, 1.50, 0.00) $$,
    'ST-07 and what they follow up, by month and type, with what was approved');
select tests.act_as('nord/cora');
select results_eq(tests.chapters(), $$ values ('C', 2::bigint, 1.75, 1::bigint) $$,
    'ST-08 that of C sees C');
select results_eq(
    tests.months(),
    $$ values ('cora', '2026-03-01', 'talk', 1::bigint, 60::bigint, 1.00, 0.00),
              ('cora', '2026-05-01', 'talk', 1, 45, 0.75, 0.00) $$,
    'ST-09 and no other coordinator''s months');

-- ---------------------------------------------------------------- a peer mentor, an org admin

select tests.act_as('nord/ola');
select results_eq(tests.mentors(), $$ values ('ola', 'A', 3::bigint, 2.00) $$,
    'ST-10 a peer mentor sees their own');
select results_eq(tests.mentors('mv_peer_mentor_stats'), $$ values ('ola', 'A', 2::bigint, 1.67) $$,
    'ST-10 and its in mv_*');
select is((select last_activity_date from public.peer_mentor_stats), date '2026-03-11',
    'ST-11 with the last day that counts');
select is_empty(tests.chapters(), 'ST-12 no chapter''s');
select is_empty(tests.chapters('mv_chapter_stats'), 'ST-12 nor in mv_*');
select is_empty(tests.days(), 'ST-13 no chapter''s days');
select is_empty(tests.days('mv_activity_time_series'), 'ST-13 nor in mv_*');
select is_empty(tests.months(), 'ST-14 and no months, for they follow up nobody');
select tests.act_as('nord/anne');
select results_eq(
    tests.chapters(),
    $$ values ('A', 4::bigint, 2.50, 2::bigint), ('B', 1, 1.50, 1), ('C', 2, 1.75, 1) $$,
    'ST-15 an org admin sees the organisation, not another');
select results_eq(
    tests.chapters('mv_chapter_stats'),
    $$ values ('A', 3::bigint, 2.17, 2::bigint), ('B', 1, 1.50, 1), ('C', 1, 1.00, 1) $$,
    'ST-15 and its in mv_*');
select is((select count(*) from public.peer_mentor_stats), 4::bigint, 'ST-16 all who work there');
select is((select count(*) from public.mv_peer_mentor_stats), 4::bigint,
    'ST-16 and theirs in mv_*');
select is((select sum(activity_count) from public.activity_time_series), 7::numeric,
    'ST-17 all days');
select is((select sum(activity_count) from public.mv_activity_time_series), 5::numeric,
    'ST-17 and theirs in mv_*');
select set_eq(
    $$ select tests.name(coordinator_id) from public.coordinator_monthly_stats $$,
    array['kari', 'cora'],
    'ST-18 all coordinators'' months');
select tests.act_as('sor/siri');
select results_eq(tests.chapters(), $$ values ('S', 1::bigint, 0.25, 1::bigint) $$,
    'ST-19 each their own organisation');
select results_eq(tests.mentors(), $$ values ('sol', 'S', 1::bigint, 0.25) $$,
    'ST-19 each their own organisation');
select results_eq(
    tests.months(),
    $$ values ('sven', '2026-03-01', 'talk', 1::bigint, 15::bigint, 0.25, 0.00) $$,
    'ST-19 each their own organisation');

-- ---------------------------------------------------------------- nobody else

select tests.act_as_owner();
create function tests.visible_rows() returns bigint language plpgsql as $$
declare
    v_relation text;
    v_rows bigint;
    v_total bigint := 0;
begin
    foreach v_relation in array array[
        'chapter_stats', 'peer_mentor_stats', 'activity_time_series', 'coordinator_monthly_stats',
        'mv_chapter_stats', 'mv_peer_mentor_stats', 'mv_activity_time_series', 'stats_freshness']
    loop
        execute format('select count(*) from public.%I', v_relation) into v_rows;
        v_total := v_total + v_rows;
    end loop;
    return v_total;
end $$;
grant execute on function tests.visible_rows() to public;
select tests.act_as('nord/ina');
select is(tests.visible_rows(), 0::bigint, 'ST-20 whoever is inactive sees nothing');
select tests.act_as('nord/kari', p_organization => 'sor');
select is(tests.visible_rows(), 0::bigint, 'ST-21 nor does a token of another organisation');
select tests.act_as('nord/stranger');
select is(tests.visible_rows(), 0::bigint, 'ST-22 nor somebody without a profile');
select tests.act_as('nord/kari');
select is(tests.visible_rows(), 20::bigint, 'ST-23 the coordinator does, in all eight');
select tests.act_as_role('anon');
select throws_ok(
    $$ select * from public.chapter_stats $$,
    '42501', 'permission denied for view chapter_stats',
    'ST-24 anon is refused');
select throws_ok(
    $$ select * from public.mv_chapter_stats $$,
    '42501', 'permission denied for view mv_chapter_stats',
    'ST-24 also by mv_*');
select throws_ok(
    $$ select * from public.coordinator_monthly_stats $$,
    '42501', 'permission denied for view coordinator_monthly_stats',
    'ST-24 and the months');
select tests.act_as_owner();
select results_eq(
    $$ select r.role, has_table_privilege(r.role, 'public.mv_' || v.name, p.privilege)
       from unnest('{anon,authenticated,service_role}'::text[]) r (role),
            unnest('{chapter_stats,peer_mentor_stats,activity_time_series}'::text[]) v (name),
            unnest('{select,insert,update,delete}'::text[]) p (privilege) $$,
    $$ select r.role, has_table_privilege(r.role, 'public.' || v.name, p.privilege)
       from unnest('{anon,authenticated,service_role}'::text[]) r (role),
            unnest('{chapter_stats,peer_mentor_stats,activity_time_series}'::text[]) v (name),
            unnest('{select,insert,update,delete}'::text[]) p (privilege) $$,
    'ST-25 mv_* are granted exactly as the live views are');
select is_empty(
    $$ select c.oid::regclass
       from pg_class c
       where c.relnamespace = 'stats'::regnamespace
         and c.relkind = 'v'
         and has_table_privilege('authenticated', c.oid, 'select')
         and coalesce(not c.reloptions @> array['security_barrier=true'], true) $$,
    'ST-26 every filter is a security barrier');

-- ---------------------------------------------------------------- at once

delete from public.chapter_assignments
where profile_id = tests.id('nord/kari')
  and unit_id = tests.id('nord/B');
select tests.act_as('nord/kari');
select results_eq(tests.chapters(), $$ values ('A', 4::bigint, 2.50, 2::bigint) $$,
    'ST-27 a chapter taken away is gone at once, whatever the token says');
select tests.act_as_owner();
update public.profiles set is_active = false where id = tests.id('nord/kari');
select tests.act_as('nord/kari');
select is(tests.visible_rows(), 0::bigint, 'ST-28 so is everything when a profile is deactivated');
select tests.act_as_owner();
update public.profiles set is_active = true where id = tests.id('nord/kari');
update public.profiles set role = 'coordinator' where id = tests.id('nord/anne');
select tests.act_as('nord/anne');
select is_empty(tests.chapters(), 'ST-29 and what comes with a role');
select tests.act_as_owner();
update public.profiles set role = 'org_admin' where id = tests.id('nord/anne');

-- ---------------------------------------------------------------- the kill switch

update public.organization_settings
set statistics_enabled = false
where organization_id = tests.id('nord');
select tests.act_as('nord/anne');
select is(tests.visible_rows(), 0::bigint,
    'ST-30 the kill switch hides every statistic from an org admin');
select isnt_empty($$ select from public.activities $$, 'ST-31 but no activity');
select tests.act_as('nord/kari');
select is(tests.visible_rows(), 0::bigint, 'ST-30 from a coordinator');
select tests.act_as('nord/ola');
select is(tests.visible_rows(), 0::bigint, 'ST-30 from a peer mentor');
select lives_ok($$ select tests.add_activity(p_at => '2026-06-01Z') $$,
    'ST-32 who goes on registering');
select tests.act_as('sor/sven');
select is(tests.visible_rows(), 8::bigint, 'ST-33 another organisation sees its own as before');
select tests.act_as_owner();
update public.organization_settings
set statistics_enabled = true
where organization_id = tests.id('nord');
select tests.act_as('nord/anne');
select results_eq(
    tests.chapters(),
    $$ values ('A', 5::bigint, 3.50, 2::bigint), ('B', 1, 1.50, 1), ('C', 2, 1.75, 1) $$,
    'ST-34 and back, nothing was lost');

-- ---------------------------------------------------------------- down to nothing

select tests.act_as_owner();
delete from public.expense_claims where organization_id = tests.id('nord');
delete from public.activities where unit_id = tests.id('nord/A');
select tests.act_as('nord/anne');
select set_eq($$ select tests.name(chapter_id) from public.chapter_stats $$, array['B', 'C'],
    'ST-35 a chapter without activities has no row');
select set_eq($$ select tests.name(chapter_id) from public.activity_time_series $$, array['B', 'C'],
    'ST-35 nor days');
select set_eq(
    $$ select tests.name(peer_mentor_id) from public.peer_mentor_stats $$,
    array['liv', 'cato'],
    'ST-35 nor has who worked only there');
select set_eq(
    $$ select tests.name(chapter_id) from public.mv_chapter_stats $$,
    array['A', 'B', 'C'],
    'ST-36 mv_* have, until the next refresh');

select * from finish();
rollback;
