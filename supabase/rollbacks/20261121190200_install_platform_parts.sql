-- Purpose: undo install_platform_parts: no schedules, nobody may listen to broadcasts, PostgREST
-- asks nobody before a request, and errors of the API are logged.
-- Locks: brief, ACCESS EXCLUSIVE on realtime.messages for the policy. Data safety: nothing is lost;
-- the log of past runs stays with pg_cron.

do $$
begin
    if to_regclass('cron.job') is not null then   -- pg_cron may be gone already
        perform cron.unschedule(j.jobid) from cron.job j
        where j.jobname like 'fersk-%';
    end if;
    if to_regclass('realtime.messages') is not null then
        drop policy if exists "members listen to their organisation" on realtime.messages;
    end if;
    begin
        alter role authenticator reset log_min_messages;
    exception when insufficient_privilege then
        null;   -- then it was not set either
    end;
end $$;

do $$
begin
    alter role authenticator reset pgrst.db_pre_request;
    alter role authenticator reset pgrst.db_tx_end;
    alter role authenticator reset pgrst.db_plan_enabled;
    notify pgrst, 'reload config';
exception when insufficient_privilege then
    null;   -- then they were never set
end $$;

drop function if exists private.install_platform_parts();
