-- Purpose: what the platform lacks for us to work, and what mends it.
-- Locks: none. Data safety: new objects only.

create or replace function private.platform_problems() returns table (problem text, remedy text)
    language plpgsql stable security invoker set search_path = '' as $$
begin
    return query
        select format('schedule %s is missing', s.name), 'select private.install_platform_parts();'
        from private.schedules() s
        where not exists (select from cron.job j where j.jobname = s.name)
        order by s.name;
    return query
        select format('schedule %s is switched off', j.jobname),
               format('select cron.alter_job(%s, active := true);', j.jobid)
        from cron.job j
        join private.schedules() s on s.name = j.jobname
        where not j.active
        order by j.jobname;
    return query
        select 'nobody may listen to broadcasts: realtime.messages has no policy of ours',
               'select private.install_platform_parts();'
        where not exists (
            select from pg_catalog.pg_policy p
            where p.polrelid = to_regclass('realtime.messages')
              and p.polname = 'members listen to their organisation');
    return query
        select 'requests are not checked: PostgREST is not told to call app.check_request',
               'select private.install_platform_parts();'
        where not exists (
            select from pg_catalog.pg_db_role_setting s
            where s.setrole = 'authenticator'::regrole
              and s.setconfig @> array['pgrst.db_pre_request=app.check_request']);
    return query
        select 'the log of Postgres quotes what people wrote: '
                   || 'errors of the API''s sessions are logged',
               'select private.install_platform_parts();'
        where not exists (
            select from pg_catalog.pg_db_role_setting s
            where s.setrole = 'authenticator'::regrole
              and s.setconfig && array['log_min_messages=log', 'log_min_messages=fatal',
                                       'log_min_messages=panic']);
    return query
        select format('secret %s is not set', n), format('select private.set_secret(%L, …);', n)
        from unnest(array['fersk_functions_url', 'fersk_webhook_secret']) n
        where private.find_secret(n) is null;
    return query
        select 'the old webhook secret is still in force',
               'When all functions hold the new one: select private.end_webhook_rotation();'
        where private.find_secret('fersk_previous_webhook_secret') is not null;
    return query
        select 'extension pg_net is missing: no webhook can be sent',
               'create extension pg_net with schema extensions;'
        where to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null;
    return query
        select 'what was restored is open to anon',
               'Restore anew, after step 2 of "Moving to a new project" in docs/howto/runbook.md.'
        where has_table_privilege('anon', 'public.activities', 'select, truncate, trigger')
           or has_function_privilege('anon', 'public.refresh_stats_views()', 'execute');
    return query
        select format('stats.%s is empty: it was restored without its rows', m.matviewname),
               'select stats.refresh(p_force := true);'
        from pg_catalog.pg_matviews m
        where m.schemaname = 'stats' and not m.ispopulated
        order by m.matviewname;
end $$;
comment on function private.platform_problems() is
    'What the platform lacks for us to work, and what mends it; no row when all is well.';

revoke execute on function private.platform_problems()
    from public, anon, authenticated, service_role;
