-- Purpose: telling listening apps that summaries are outdated: one private channel for each organisation.
-- Locks: none. Data safety: new objects only. Who may listen stands in install_platform_parts.

create or replace function private.broadcast_invalidation(p_organization_id uuid, p_unit_ids uuid[], p_dates date[]) returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    perform realtime.send(
        jsonb_build_object('unit_ids', to_jsonb(p_unit_ids), 'dates', to_jsonb(p_dates)),
        'cache_invalidated', 'activities:org:' || p_organization_id, true);
end $$;
comment on function private.broadcast_invalidation(uuid, uuid[], date[]) is 'Ids and dates, nothing else. A lost broadcast does not matter: clients read again after a reconnect.';
revoke execute on function private.broadcast_invalidation(uuid, uuid[], date[]) from public, anon, authenticated, service_role;
