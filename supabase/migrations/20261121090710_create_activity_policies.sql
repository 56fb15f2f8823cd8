-- Purpose: who reads, registers, corrects and deletes activities.
-- Locks: brief, ACCESS EXCLUSIVE on activities. Data safety: reads only.

drop policy if exists "people read their own activities and those of their chapters"
    on public.activities;
create policy "people read their own activities and those of their chapters"
    on public.activities
    for select to authenticated using (
        peer_mentor_id = (select app.profile_id())
        or unit_id = any (array(select app.visible_chapter_ids())));

drop policy if exists "people register for themselves, coordinators also by proxy"
    on public.activities;
create policy "people register for themselves, coordinators also by proxy"
    on public.activities
    for insert to authenticated with check (
        organization_id = (select app.member_org_id())
        and registered_by = (select app.profile_id())
        and case when is_proxy_registered
                 then unit_id = any (array(select app.visible_chapter_ids()))
                 else unit_id = any (array(select app.assigned_chapter_ids())) end);

drop policy if exists "people correct their own and their chapters' activities"
    on public.activities;
create policy "people correct their own and their chapters' activities"
    on public.activities
    for update to authenticated
    using (
        (peer_mentor_id = (select app.profile_id()) and status <> 'rejected')
        or unit_id = any (array(select app.visible_chapter_ids())))
    with check (
        (peer_mentor_id = (select app.profile_id()) and status <> 'rejected'
         and unit_id = any (array(select app.assigned_chapter_ids())))
        or unit_id = any (array(select app.visible_chapter_ids())));

drop policy if exists "people delete their own and their chapters' activities"
    on public.activities;
create policy "people delete their own and their chapters' activities"
    on public.activities
    for delete to authenticated using (
        (peer_mentor_id = (select app.profile_id()) and status <> 'rejected')
        or unit_id = any (array(select app.visible_chapter_ids())));
