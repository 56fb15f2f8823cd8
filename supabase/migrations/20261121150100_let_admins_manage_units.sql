-- Purpose: org admins make, move, close and remove the units of their organisation.
-- Locks: brief, ACCESS EXCLUSIVE on organization_units. Data safety: new objects only.

create or replace function app.administered_org_id() returns uuid
    language sql stable security invoker set search_path = ''
    return (select app.member_org_id() where app.profile_role() = 'org_admin');
comment on function app.administered_org_id() is
    'The current organisation, if the caller is an active org admin of it; else null.';
revoke execute on function app.administered_org_id()
    from public, anon, authenticated, service_role;
grant execute on function app.administered_org_id() to authenticated;

alter table public.organization_units
    alter column organization_id set default app.current_org_id();
grant insert (id, organization_id, parent_id, kind, name, closed_on),
      update (parent_id, kind, name, closed_on),
      delete
    on public.organization_units to authenticated;

drop policy if exists "org admins make units" on public.organization_units;
create policy "org admins make units" on public.organization_units
    for insert to authenticated
    with check (organization_id = (select app.administered_org_id()));

drop policy if exists "org admins change units" on public.organization_units;
create policy "org admins change units" on public.organization_units
    for update to authenticated
    using (organization_id = (select app.administered_org_id()))
    with check (organization_id = (select app.administered_org_id()));

-- Which the foreign keys allow as long as nothing ever happened there; else it is closed.
drop policy if exists "org admins remove units" on public.organization_units;
create policy "org admins remove units" on public.organization_units
    for delete to authenticated
    using (organization_id = (select app.administered_org_id()));
