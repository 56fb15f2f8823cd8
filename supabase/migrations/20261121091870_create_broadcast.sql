-- Purpose: telling listening apps that summaries are outdated: a private channel per organisation.
-- Locks: none. Data safety: new objects only. Who may listen stands in install_platform_parts.

create or replace function private.broadcast_invalidation(
    p_organization_id uuid, p_unit_ids uuid[], p_dates date[])
    returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    perform realtime.send(
        jsonb_build_object('unit_ids', to_jsonb(p_unit_ids), 'dates', to_jsonb(p_dates)),
        'cache_invalidated', 'activities:org:' || p_organization_id, true);
end $$;
comment on function private.broadcast_invalidation(uuid, uuid[], date[]) is
    'Ids and dates, nothing else. A lost broadcast does not matter: clients read again after a '
    'reconnect.';

-- A broadcast that fails is on record and fails no fold.
create or replace function stats.tell(p_organizations jsonb) returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    perform private.broadcast_invalidation(
        (o ->> 'organization_id')::uuid,
        array(select jsonb_array_elements_text(o -> 'unit_ids'))::uuid[],
        array(select jsonb_array_elements_text(o -> 'dates'))::date[])
    from jsonb_array_elements(p_organizations) o;
exception when others then
    perform stats.record_error('broadcast: ' || sqlstate || ': ' || sqlerrm);
end $$;

revoke execute on function
    private.broadcast_invalidation(uuid, uuid[], date[]), stats.tell(jsonb)
    from public, anon, authenticated, service_role;
