-- Purpose: what pg_cron is to do, and when.
-- Locks: none. Data safety: new objects only; install_platform_parts tells pg_cron.

create or replace function private.request_precompute() returns void
    language sql volatile security invoker set search_path = '' as $$
    select stats.wake('warm-hierarchy-cache', 'nightly', o.id, '[]', false)
    from public.organizations o;
$$;
comment on function private.request_precompute() is
    'Asks for the summaries of every organisation; scheduled.';

-- What nobody writes wakes nobody: so this does, and the ledger tells that wake-ups still arrive.
create or replace function private.send_heartbeat() returns void
    language sql volatile security invoker set search_path = '' as $$
    select stats.ask('invalidate-hierarchy-cache', 'heartbeat', o.organization_id, '[]', true)
    from (select min(o.id::text)::uuid as organization_id from public.organizations o) o,
         stats.settings s
    where s.refresh_mode = 'async'
      and o.organization_id is not null
      and not exists (select from private.deliveries d
                      where stats.is_recent(d.sent_at, interval '10 seconds'));
$$;
comment on function private.send_heartbeat() is
    'Sends a wake-up unless one was sent of late; scheduled.';

create or replace function private.schedules()
    returns table (name text, schedule text, command text)
    language sql stable security invoker set search_path = ''
begin atomic
    -- Seconds came with pg_cron 1.5; before, a minute is the finest.
    select s.name,
           case when (
                select regexp_match(e.extversion, '^(\d+)\.(\d+)')::int[] >= array[1, 5]
                from pg_catalog.pg_extension e
                where e.extname = 'pg_cron') then s.seconds || ' seconds' else '* * * * *' end,
           s.command
    from (values ('fersk-sweep', '10', 'select stats.sweep()'),
                 ('fersk-heartbeat', '30', 'select private.send_heartbeat()'))
        s (name, seconds, command)
    union all
    values ('fersk-hourly-refresh', '7 * * * *', 'select stats.refresh(p_force := true)'),
           ('fersk-nightly-audit', '11 2 * * *', 'select stats.heal()'),
           ('fersk-nightly-precompute', '41 2 * * *', 'select private.request_precompute()'),
           -- in batches, each of which commits (create_retention)
           ('fersk-nightly-retention', '53 1 * * *',
            'do $$ begin while private.apply_retention() > 0 loop commit; end loop; end $$'),
           -- pg_cron never shrinks its log by itself; who has left no longer uses a limit
           ('fersk-nightly-cleanup', '23 2 * * *',
            $$ delete from cron.job_run_details where end_time < now() - interval '2 days';
               delete from private.work_done where paid_until < now() - interval '1 day' $$);
end;
comment on function private.schedules() is 'What pg_cron is to do, and when.';

revoke execute on function private.request_precompute(), private.send_heartbeat(),
    private.schedules()
    from public, anon, authenticated, service_role;
