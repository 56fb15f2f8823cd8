-- PP: what lives in the platform's own schemas, and what is told where it is missing.
begin;
\ir helpers.psql
select plan(29);

create function tests.problems() returns setof text language sql as
    $$ select problem from private.platform_problems() $$;

select private.set_secret('fersk_functions_url', 'https://functions.tests.example/functions/v1');
select private.set_secret('fersk_webhook_secret',
    'whsec_bGlrZXBlcnNvbmVyIGVyIGJlc3QgaSBoZWxlIHZlcmRlbg==');
select private.install_platform_parts();
select is_empty($$ select tests.problems() $$,
    'PP-01 with everything in place there is no problem');

-- ---------------------------------------------------------------- schedules

create temporary table jobs_before on commit drop as
    select jobid, jobname, schedule, command, active from cron.job;
select cron.unschedule('fersk-sweep');
select cron.unschedule('fersk-nightly-cleanup');
select results_eq($$ select tests.problems() $$,
    array['schedule fersk-nightly-cleanup is missing', 'schedule fersk-sweep is missing'],
    'PP-02 a schedule that is lost is named');
select private.install_platform_parts();
select is_empty($$ select tests.problems() $$, 'PP-03 and comes back');
select set_eq($$ select jobname, schedule, command, active from cron.job $$,
    $$ select jobname, schedule, command, active from jobs_before $$, 'PP-03 as it was');
select private.install_platform_parts();
select set_eq(
    $$ select jobname, schedule, command, active from cron.job $$,
    $$ select jobname, schedule, command, active from jobs_before $$,
    'PP-04 once, however often it is asked for');
select cron.alter_job((select jobid from cron.job where jobname = 'fersk-sweep'), active := false);
select results_eq($$ select tests.problems() $$, array['schedule fersk-sweep is switched off'],
    'PP-05 one that is switched off is named');
select ok(
    (select remedy ~ '^select cron.alter_job\(\d+, active := true\);$'
     from private.platform_problems()),
    'PP-05 with what switches it on');
select cron.alter_job((select jobid from cron.job where jobname = 'fersk-sweep'), active := true);

-- ---------------------------------------------------------------- broadcasts

drop policy "members listen to their organisation" on realtime.messages;
select results_eq($$ select tests.problems() $$,
    array['nobody may listen to broadcasts: realtime.messages has no policy of ours'],
    'PP-06 a policy that is lost is named');
select private.install_platform_parts();
select is_empty($$ select tests.problems() $$, 'PP-07 and comes back');
select is(
    (select format('%s %s %s', cmd, roles, permissive) from pg_policies
     where schemaname = 'realtime' and policyname = 'members listen to their organisation'),
    'SELECT {authenticated} PERMISSIVE', 'PP-07 for members, to read');

-- ---------------------------------------------------------------- the check of requests

alter role authenticator reset pgrst.db_pre_request;
select results_eq($$ select tests.problems() $$,
    array['requests are not checked: PostgREST is not told to call app.check_request'],
    'PP-20 a setting of PostgREST''s that is lost is named');
select private.install_platform_parts();
select is_empty($$ select tests.problems() $$, 'PP-21 and comes back');
select ok(
    (select setconfig @> array['pgrst.db_tx_end=commit', 'pgrst.db_plan_enabled=false']
     from pg_db_role_setting
     where setrole = 'authenticator'::regrole and setdatabase = 0),
    'PP-21 with those beside it');

-- ---------------------------------------------------------------- the log

alter role authenticator reset log_min_messages;
select results_eq($$ select * from private.platform_problems() $$,
    $$ values ('the log of Postgres quotes what people wrote: '
                   || 'errors of the API''s sessions are logged',
               'select private.install_platform_parts();') $$,
    'PP-22 where the errors of the API are logged, that is named');
select private.install_platform_parts();
select is_empty($$ select tests.problems() $$, 'PP-23 and mended');
alter role authenticator set log_min_messages = 'fatal';
select is_empty($$ select tests.problems() $$, 'PP-24 a stricter setting is none');
alter role authenticator set log_min_messages = 'log';

-- ---------------------------------------------------------------- secrets

select tests.forget_secret('fersk_webhook_secret');
select results_eq(
    $$ select problem, remedy from private.platform_problems() $$,
    $$ values ('secret fersk_webhook_secret is not set',
               'select private.set_secret(''fersk_webhook_secret'', …);') $$,
    'PP-08 a secret that is missing is named, and how to set it');
select private.set_secret('fersk_webhook_secret',
    'whsec_bGlrZXBlcnNvbmVyIGVyIGJlc3QgaSBoZWxlIHZlcmRlbg==');

-- Vault, with the names and argument lists that it has; without its encryption, where it cannot be
-- had.
do $do$
begin
    if to_regclass('vault.secrets') is null then
        create schema vault;
        create table vault.secrets (
            id     uuid primary key default gen_random_uuid(),
            name   text unique,
            secret text
        );
        create view vault.decrypted_secrets as
            select id, name, secret as decrypted_secret from vault.secrets;
        create function vault.create_secret(new_secret text, new_name text default null)
            returns uuid language sql as $$
            insert into vault.secrets (secret, name) values (new_secret, new_name) returning id
        $$;
        create function vault.update_secret(secret_id uuid, new_secret text)
            returns void language sql as $$
            update vault.secrets set secret = new_secret where id = secret_id
        $$;
    end if;
end $do$;
select tests.forget_secret('tests_moved');
insert into private.secrets (name, value) values ('tests_moved', 'from the table');
select is(private.secret('tests_moved'), 'from the table',
    'PP-09 where Vault has no such secret, the table''s is found: it came with a dump');
select private.set_secret('tests_moved', 'from Vault');
select is(private.secret('tests_moved'), 'from Vault', 'PP-10 set anew, it is in Vault');
select is_empty($$ select from private.secrets where name = 'tests_moved' $$,
    'PP-10 and no longer in the table');
insert into private.secrets (name, value) values ('tests_moved', 'of old');
select is(private.secret('tests_moved'), 'from Vault', 'PP-11 Vault''s comes first');
select tests.forget_secret('tests_moved');
select throws_ok(
    $$ select private.secret('tests_moved') $$,
    'P0002', 'secret "tests_moved" is not set',
    'PP-12 in neither, it raises');

-- ---------------------------------------------------------------- privileges

grant truncate on public.activities to anon;
select results_eq($$ select tests.problems() $$, array['what was restored is open to anon'],
    'PP-13 a table that a restore left open is named');
revoke truncate on public.activities from anon;
grant execute on function public.refresh_stats_views() to anon;
select results_eq($$ select tests.problems() $$, array['what was restored is open to anon'],
    'PP-14 and so is a function');
revoke execute on function public.refresh_stats_views() from anon;

-- ---------------------------------------------------------------- materialised views

select tests.settle();
refresh materialized view stats.mv_chapter_stats with no data;
select results_eq($$ select tests.problems() $$,
    array['stats.mv_chapter_stats is empty: it was restored without its rows'],
    'PP-15 a materialised view without its rows is named');
select throws_ok($$ select * from stats.mv_chapter_stats $$, '55000',
    'materialized view "mv_chapter_stats" has not been populated', 'PP-15 and cannot be read');
select ok(stats.sweep(), 'PP-16 the sweep finds it');
select is_empty($$ select tests.problems() $$, 'PP-16 and heals it');
select lives_ok($$ select * from stats.mv_chapter_stats $$, 'PP-16 so that it can be read');

select * from finish();
rollback;
