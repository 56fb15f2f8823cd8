-- Purpose: what lives in the platform's own schemas: schedules, and who may listen to broadcasts.
-- Locks: brief, ACCESS EXCLUSIVE on realtime.messages for the policy. Data safety: new objects.
--
-- Last of all, and one function: a dump of our schemas lacks these parts, so it is called again
-- after a move to another project. Where the platform does not let us, it warns and goes on.

create or replace function private.schedules()
    returns table (name text, schedule text, command text)
    language sql stable security invoker set search_path = ''
begin atomic
    -- Seconds came with pg_cron 1.5; before, a minute is the finest.
    select 'fersk-sweep',
           case when (select regexp_match(e.extversion, '^(\d+)\.(\d+)')::int[] >= array[1, 5]
                      from pg_catalog.pg_extension e where e.extname = 'pg_cron')
                then '10 seconds' else '* * * * *' end,
           'select stats.sweep()'
    union all
    values ('fersk-hourly-refresh', '7 * * * *', 'select stats.refresh(p_force := true)'),
           ('fersk-nightly-audit', '11 2 * * *', 'select stats.heal()'),
           ('fersk-nightly-precompute', '41 2 * * *', 'select private.request_precompute()'),
           -- in batches, each of which commits (create_retention)
           ('fersk-nightly-retention', '53 1 * * *',
            'do $$ begin while private.apply_retention() > 0 loop commit; end loop; end $$'),
           -- pg_cron never shrinks its log by itself
           ('fersk-nightly-cleanup', '23 2 * * *',
            $$ delete from cron.job_run_details where end_time < now() - interval '2 days' $$);
end;
comment on function private.schedules() is 'What pg_cron is to do, and when.';

create or replace function private.request_precompute() returns void
    language sql volatile security invoker set search_path = '' as $$
    select private.send_webhook('warm-hierarchy-cache', jsonb_build_object(
               'type', 'nightly', 'table', 'hierarchy_stats_cache', 'organization_id', o.id,
               'records', '[]'::jsonb, 'truncated', false))
    from public.organizations o;
$$;
comment on function private.request_precompute() is
    'Asks for the summaries of every organisation; scheduled.';

create or replace function private.install_platform_parts() returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    perform cron.schedule(s.name, s.schedule, s.command) from private.schedules() s;

    begin
        if not exists (select from pg_catalog.pg_policy p
                       where p.polrelid = to_regclass('realtime.messages')
                         and p.polname = 'members listen to their organisation') then
            create policy "members listen to their organisation" on realtime.messages
                for select to authenticated using (
                    realtime.messages.extension = 'broadcast'
                    and (select realtime.topic())
                        = 'activities:org:' || (select app.member_org_id()));
        end if;
    exception when insufficient_privilege or undefined_table or undefined_function
                   or invalid_schema_name then
        raise warning 'nobody may listen to broadcasts yet: %', sqlerrm
            using hint = 'See "Nobody hears broadcasts" in docs/runbook.md. All else is in place.';
    end;
end $$;
comment on function private.install_platform_parts() is
    'Installs the schedules and the policy on realtime.messages; may be called again at any time.';

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
        from cron.job j join private.schedules() s on s.name = j.jobname
        where not j.active
        order by j.jobname;
    return query
        select 'nobody may listen to broadcasts: realtime.messages has no policy of ours',
               'select private.install_platform_parts();'
        where not exists (select from pg_catalog.pg_policy p
                          where p.polrelid = to_regclass('realtime.messages')
                            and p.polname = 'members listen to their organisation');
    return query
        select format('secret %s is not set', n), format('select private.set_secret(%L, …);', n)
        from unnest(array['fersk_functions_url', 'fersk_webhook_secret']) n
        where private.find_secret(n) is null;
    return query
        select 'extension pg_net is missing: no webhook can be sent',
               'create extension pg_net with schema extensions;'
        where to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null;
    return query
        select 'what was restored is open to anon',
               'Restore anew, after step 2 of "Moving to a new project" in docs/runbook.md.'
        where has_table_privilege('anon', 'public.activities', 'select, truncate, trigger')
           or has_function_privilege('anon', 'public.refresh_stats_views()', 'execute');
    return query
        select format('stats.%s is empty: it was restored without its rows', m.matviewname),
               'select stats.refresh(p_force := true);'
        from pg_catalog.pg_matviews m where m.schemaname = 'stats' and not m.ispopulated
        order by m.matviewname;
end $$;
comment on function private.platform_problems() is
    'What the platform lacks for us to work, and what mends it; no row when all is well.';

revoke execute on function private.schedules(), private.request_precompute(),
    private.install_platform_parts(), private.platform_problems()
    from public, anon, authenticated, service_role;

select private.install_platform_parts();
