-- Purpose: undo let_admins_manage_units: the tree is the operator's again.
-- Locks: brief, ACCESS EXCLUSIVE on organization_units. Data safety: nothing is lost.

drop policy if exists "org admins remove units" on public.organization_units;
drop policy if exists "org admins change units" on public.organization_units;
drop policy if exists "org admins make units" on public.organization_units;
revoke insert (id, organization_id, parent_id, kind, name, closed_on),
       update (parent_id, kind, name, closed_on),
       delete
    on public.organization_units from authenticated;
alter table public.organization_units alter column organization_id drop default;
drop function if exists app.administered_org_id();
