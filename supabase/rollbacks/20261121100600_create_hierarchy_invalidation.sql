-- Purpose: undo create_hierarchy_invalidation: nothing drains the log of changed units, and nothing asks for it.
-- Locks: brief, ACCESS EXCLUSIVE on both logs for their triggers. Data safety: the record of wake-ups is lost; marks and log stay.

-- health as create_refresh made it; where that is undone already, it stays so
do $$
begin
    if to_regprocedure('public.get_health()') is not null then
        create or replace function public.get_health() returns jsonb
            language sql stable security definer set search_path = ''   -- DEFINER: the service role holds no rights on stats
            return (select jsonb_build_object(
                        'last_refreshed_at', l.last_finished_at,
                        'last_sweep_at', l.last_sweep_at,
                        'last_error', l.last_error,
                        'pending_changes', c.number,
                        'oldest_pending_seconds', c.seconds)
                    from stats.stats_refresh_log l,
                         (select count(*) as number, coalesce(greatest(extract(epoch from now() - min(changed_at)), 0), 0)::bigint as seconds
                          from stats.pending_changes) c);
    end if;
end $$;

drop trigger if exists tree_changes_request_invalidation on stats.tree_changes;
drop trigger if exists activity_changes_request_invalidation on stats.activity_changes;
drop function if exists stats.sweep_unit_changes();
drop function if exists public.request_invalidation_again();
drop function if exists public.take_unit_changes();
drop function if exists stats.unit_writers_in_flight();
drop function if exists public.acknowledge_wake_ups();
drop function if exists stats.wake_invalidation(text, uuid);
drop function if exists stats.request_invalidation();
drop table if exists stats.wake_ups;
