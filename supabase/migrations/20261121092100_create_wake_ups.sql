-- Purpose: sending a wake-up to the functions: a fold is asked for, or a refresh of mv_*.
-- Locks: none. Data safety: new objects only.
--
-- A wake-up only says "look now"; the sweep is the guarantee. One fold serves every organisation,
-- so one wake-up does.

create or replace function stats.wake(
    p_slug text, p_type text, p_organization_id uuid, p_records jsonb, p_truncated boolean)
    returns bigint
    language sql volatile security invoker set search_path = ''
    return private.send_webhook(p_slug, jsonb_build_object(
        'type', p_type,
        'table', case p_slug when 'refresh-stats-views'  then 'activity_changes'
                             when 'warm-hierarchy-cache' then 'hierarchy_stats_cache'
                             else 'unit_changes' end,
        'organization_id', p_organization_id,
        'records', p_records,
        'truncated', p_truncated));
comment on function stats.wake(text, text, uuid, jsonb, boolean) is
    'Queues a wake-up: ids and dates only, of one organisation. The only place that makes one.';

-- Asked before it is done, so that what fails is not tried again by every writer.
create or replace function stats.ask(
    p_slug text, p_type text, p_organization_id uuid, p_records jsonb, p_truncated boolean)
    returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    if p_slug = 'refresh-stats-views' then
        perform stats.note_time('stats.refresh_asked_at');
    end if;
    if (select s.refresh_mode from stats.settings s) = 'async' then
        perform stats.wake(p_slug, p_type, p_organization_id, p_records, p_truncated);
    elsif p_slug = 'refresh-stats-views' then   -- no functions to wake: a refresh folds as well
        perform stats.refresh(p_force := false);
    end if;
exception when others then
    -- Never the writer's problem: the changes are in the log, where readers see them, and the sweep
    -- asks again.
    perform stats.record_error(p_type || ': ' || sqlstate || ': ' || sqlerrm);
end $$;

revoke execute on function
    stats.wake(text, text, uuid, jsonb, boolean), stats.ask(text, text, uuid, jsonb, boolean)
    from public, anon, authenticated, service_role;
