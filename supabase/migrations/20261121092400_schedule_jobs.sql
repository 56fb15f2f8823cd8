-- Purpose: the schedules: the sweep, the hourly refresh, the nightly audit and cleanup.
-- Locks: none. Data safety: the cleanup deletes only pg_cron's own run log, after two days.

do $$
begin
    -- Seconds came with pg_cron 1.5; before, a minute is the finest.
    perform cron.schedule('fersk-sweep', case
        when (select regexp_match(e.extversion, '^(\d+)\.(\d+)')::int[] >= array[1, 5]
              from pg_catalog.pg_extension e where e.extname = 'pg_cron') then '10 seconds'
        else '* * * * *' end, 'select stats.sweep()');
    perform cron.schedule('fersk-hourly-refresh', '7 * * * *',
        'select stats.refresh(p_force := true)');
    perform cron.schedule('fersk-nightly-audit', '11 2 * * *', 'select stats.heal()');
    -- pg_cron never shrinks its log by itself
    perform cron.schedule('fersk-nightly-cleanup', '23 2 * * *',
                          $job$ delete from cron.job_run_details
                              where end_time < now() - interval '2 days' $job$);
    perform cron.schedule('fersk-nightly-precompute', '41 2 * * *',
        $job$ select private.send_webhook('warm-hierarchy-cache', jsonb_build_object(
                'type', 'nightly', 'table', 'hierarchy_stats_cache', 'organization_id', o.id,
                    'records', '[]'::jsonb, 'truncated', false))
              from public.organizations o $job$);
end $$;
