-- Purpose: what the API tells of the upkeep.
-- Locks: none. Data safety: new objects only.

create or replace function public.get_health() returns jsonb
    -- DEFINER: the service role holds no rights on stats
    language sql stable security definer set search_path = ''
    return (
        select jsonb_build_object(
            'last_refreshed_at', l.last_finished_at,
            'last_sweep_at', stats.noted_time('stats.swept_at'),
            -- what a later refresh did not hit any more is history
            'last_error', (
                select e.message from stats.errors e
                -- a time in the future counts as none: the clock was set back
                where l.last_finished_at is null
                   or l.last_finished_at > clock_timestamp()
                   or e.happened_at > l.last_finished_at
                order by e.id desc
                limit 1),
            'pending_changes', p.number,
            'oldest_pending_seconds', p.seconds,
            'pending_unit_changes', u.number,
            'oldest_unit_change_seconds', u.seconds,
            'differences', (
                select count(*) from stats.differences d
                where d.found_at > now() - interval '1 day'),
            'last_difference_at', (select max(d.found_at) from stats.differences d),
            'last_delivered_at', a.last_delivered_at,
            'last_undelivered_at', a.last_undelivered_at,
            'reasons', (
                select coalesce(jsonb_agg(to_jsonb(r) order by r.code), '[]')
                from private.health_reasons() r),
            'versions', private.versions())
        from stats.stats_refresh_log l, private.answers a,
             (select coalesce(sum(change_count), 0) as number,
                     coalesce(greatest(extract(epoch from now() - min(oldest_at)), 0), 0)::bigint
                         as seconds
              from stats.pending_changes) p,
             (select count(*) as number,
                     coalesce(greatest(extract(epoch from now() - min(changed_at)), 0), 0)::bigint
                         as seconds
              from stats.unit_changes) u);
comment on function public.get_health() is
    'The backlog and its age, and what is wrong: each reason with a code, since when, and what to '
    'do. Service role only.';

revoke execute on function public.get_health() from public, anon, authenticated, service_role;
grant execute on function public.get_health() to service_role;
