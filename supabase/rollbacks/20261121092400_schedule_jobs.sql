-- Purpose: undo schedule_jobs: the schedules end.
-- Locks: none. Data safety: nothing is lost; the log of past runs stays with pg_cron.

do $$
begin
    if to_regclass('cron.job') is not null then   -- pg_cron may be gone already
        perform cron.unschedule(j.jobid) from cron.job j
        where j.jobname in ('fersk-sweep', 'fersk-hourly-refresh', 'fersk-nightly-audit', 'fersk-nightly-cleanup',
                            'fersk-nightly-precompute');
    end if;
end $$;
