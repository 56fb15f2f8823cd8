-- Purpose: telling listening apps that summaries are outdated: one private channel for each organisation.
-- Locks: brief, ACCESS EXCLUSIVE on realtime.messages for the policy. Data safety: new objects only.

drop policy if exists "members listen to their organisation" on realtime.messages;
create policy "members listen to their organisation" on realtime.messages
    for select to authenticated using (
        realtime.messages.extension = 'broadcast'
        and (select realtime.topic()) = 'activities:org:' || (select app.member_org_id()));

create or replace function private.broadcast_invalidation(p_organization_id uuid, p_unit_ids uuid[], p_dates date[]) returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    perform realtime.send(
        jsonb_build_object('unit_ids', to_jsonb(p_unit_ids), 'dates', to_jsonb(p_dates)),
        'cache_invalidated', 'activities:org:' || p_organization_id, true);
end $$;
comment on function private.broadcast_invalidation(uuid, uuid[], date[]) is 'Ids and dates, nothing else. A lost broadcast does not matter: clients read again after a reconnect.';
revoke execute on function private.broadcast_invalidation(uuid, uuid[], date[]) from public, anon, authenticated, service_role;
