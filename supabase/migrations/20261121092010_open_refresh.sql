-- Purpose: what the API has of the refresh: the door to it, and how fresh mv_* are.
-- Locks: none. Data safety: new objects only.

create or replace function public.refresh_stats_views() returns jsonb
    -- DEFINER: the service role's only door to stats.refresh
    language plpgsql volatile security definer set search_path = ''
    set statement_timeout = '55s' as $$
begin
    return stats.refresh(p_force := false);
end $$;
comment on function public.refresh_stats_views() is
    'Folds the change log and refreshes mv_*, if there is something to do and it is time. Service '
    'role only.';

create or replace view stats.visible_freshness with (security_barrier) as
    select l.last_finished_at as last_refreshed_at,
           coalesce(p.change_count, 0) as pending_changes,
           coalesce(greatest(extract(epoch from now() - p.oldest_at), 0), 0)::bigint
               as oldest_pending_seconds,
           l.last_duration_ms as last_refresh_ms
    from stats.stats_refresh_log l
    left join stats.pending_changes p on p.organization_id = (select app.statistics_org_id())
    where (select app.statistics_org_id()) is not null;
create or replace view public.stats_freshness with (security_invoker = on) as
    select * from stats.visible_freshness;
comment on view public.stats_freshness is
    'When mv_* were refreshed, and how many changes of the caller''s organisation they lack.';

revoke all on stats.visible_freshness, public.stats_freshness
    from public, anon, authenticated, service_role;
grant select on stats.visible_freshness, public.stats_freshness to authenticated;
revoke execute on function public.refresh_stats_views()
    from public, anon, authenticated, service_role;
grant execute on function public.refresh_stats_views() to service_role;
