-- Purpose: the schedules: the sweep, the hourly refresh, the nightly cleanup.
-- Locks: none. Data safety: the cleanup deletes only pg_cron's own run log, after two days.

do $$
begin
    -- Seconds came with pg_cron 1.5; before, a minute is the finest.
    if (select regexp_match(e.extversion, '^(\d+)\.(\d+)')::int[] >= array[1, 5]
        from pg_catalog.pg_extension e where e.extname = 'pg_cron') then
        perform cron.schedule('fersk-sweep', '10 seconds', 'select stats.sweep()');
    else
        perform cron.schedule('fersk-sweep', '* * * * *', 'select stats.sweep()');
    end if;
    perform cron.schedule('fersk-hourly-refresh', '7 * * * *', 'select stats.refresh(p_force := true)');
    -- pg_cron never shrinks its log by itself
    perform cron.schedule('fersk-nightly-cleanup', '23 2 * * *',
                          $job$ delete from cron.job_run_details where end_time < now() - interval '2 days' $job$);
end $$;
