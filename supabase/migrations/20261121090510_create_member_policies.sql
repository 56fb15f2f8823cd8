-- Purpose: what members read of their organisation's own tables.
-- Locks: brief, ACCESS EXCLUSIVE on the tables that get policies. Data safety: reads only.

drop policy if exists "members read their organisation" on public.organizations;
create policy "members read their organisation" on public.organizations
    for select to authenticated using (id = (select app.member_org_id()));

drop policy if exists "members read their organisation's settings"
    on public.organization_settings;
create policy "members read their organisation's settings" on public.organization_settings
    for select to authenticated using (organization_id = (select app.member_org_id()));

drop policy if exists "members read their organisation's units" on public.organization_units;
create policy "members read their organisation's units" on public.organization_units
    for select to authenticated using (organization_id = (select app.member_org_id()));

drop policy if exists "people read themselves and those they follow up" on public.profiles;
create policy "people read themselves and those they follow up" on public.profiles
    for select to authenticated using (
        id = (select auth.uid())
        or (organization_id = (select app.member_org_id())
            and (select app.profile_role()) = 'org_admin')
        or (organization_id = (select app.member_org_id())
            and id = any (array(
                select a.profile_id from public.chapter_assignments a
                where a.unit_id = any (array(select app.visible_chapter_ids()))))));

drop policy if exists "members rename themselves" on public.profiles;
create policy "members rename themselves" on public.profiles
    for update to authenticated
    using (id = (select app.profile_id()))
    with check (id = (select app.profile_id()));

drop policy if exists "people read their own assignments and those of their chapters"
    on public.chapter_assignments;
create policy "people read their own assignments and those of their chapters"
    on public.chapter_assignments
    for select to authenticated using (
        profile_id = (select app.profile_id())
        or unit_id = any (array(select app.visible_chapter_ids())));
