-- Purpose: a saved report that cannot be read is computed anew by the service.
-- Locks: none. Data safety: new objects only.

create or replace function public.renew_metric_snapshot(p_organization_id uuid,
    p_period_start date, p_period_end date)
    returns boolean
    -- DEFINER: the service role's only door
    language plpgsql volatile security definer set search_path = '' set statement_timeout = '30s'
        as $$
begin
    if not exists (select from public.bufdir_metric_snapshots b
                   where b.organization_id = p_organization_id and b.period_start = p_period_start
                     and b.period_end = p_period_end) then
        return false;
    end if;
    perform stats.save_metric_snapshot(p_organization_id, p_period_start, p_period_end);
    return true;
end $$;
comment on function public.renew_metric_snapshot(uuid, date, date) is
    'Computes a saved snapshot anew that cannot be read; false when there is none. Service role '
    'only.';

revoke execute on function public.renew_metric_snapshot(uuid, date, date)
    from public, anon, authenticated, service_role;
grant execute on function public.renew_metric_snapshot(uuid, date, date) to service_role;
