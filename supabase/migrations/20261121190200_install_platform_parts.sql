-- Purpose: what lives in the platform's own schemas and roles: schedules, who may listen to
-- broadcasts, PostgREST's settings, and that errors of the API's sessions are not logged.
-- Locks: brief, ACCESS EXCLUSIVE on realtime.messages for the policy. Data safety: new objects.
--
-- Last of all, and one function: a dump of our schemas lacks these parts, so it is called again
-- after a move to another project. Where the platform does not let us, it warns and goes on.

create or replace function private.install_platform_parts() returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    perform cron.schedule(s.name, s.schedule, s.command) from private.schedules() s;
    if stats.noted_time('stats.swept_at') is null then
        perform stats.note_time('stats.swept_at');   -- from now on a sweep is due
    end if;

    begin
        if not exists (
            select from pg_catalog.pg_policy p
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
            using hint =
                'See "Nobody hears broadcasts" in docs/howto/runbook.md. All else is in place.';
    end;

    begin   -- as settings of its role PostgREST reads them wherever it runs; they outrank its own
        alter role authenticator set pgrst.db_pre_request = 'app.check_request';
        alter role authenticator set pgrst.db_tx_end = 'commit';
        alter role authenticator set pgrst.db_plan_enabled = 'false';
        notify pgrst, 'reload config';
    exception when insufficient_privilege then
        raise warning 'requests are not checked: %', sqlerrm
            using hint = 'See "What does the platform lack?" in docs/howto/runbook.md.';
    end;

    -- Who calls the API is told what was wrong. The log is read by others, and an error's message
    -- may quote what people wrote. Sessions that are open already go on as they were.
    begin
        alter role authenticator set log_min_messages = 'log';
    exception when insufficient_privilege then
        raise warning 'errors of the API''s sessions are logged: %', sqlerrm
            using hint = 'See docs/reference/logs.md. All else is in place.';
    end;
end $$;
comment on function private.install_platform_parts() is
    'Installs the schedules, the policy on realtime.messages and the settings of the API''s role; '
    'may be called again at any time.';

revoke execute on function private.install_platform_parts()
    from public, anon, authenticated, service_role;

select private.install_platform_parts();
