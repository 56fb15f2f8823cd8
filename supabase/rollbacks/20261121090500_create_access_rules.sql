-- Purpose: undo create_access_rules: without policies nobody but the service role reads the tables.
-- Locks: brief, ACCESS EXCLUSIVE on the tables that lose policies. Data safety: none is lost.

drop policy if exists "people read their own assignments and those of their chapters" on public.chapter_assignments;
drop policy if exists "members rename themselves" on public.profiles;
drop policy if exists "people read themselves and those they follow up" on public.profiles;
drop policy if exists "members read their organisation's units" on public.organization_units;
drop policy if exists "members read their organisation's settings" on public.organization_settings;
drop policy if exists "members read their organisation" on public.organizations;

-- latest first: the bodies refer to each other
drop function if exists app.statistics_chapter_ids();
drop function if exists app.statistics_org_id();
drop function if exists app.visible_chapter_ids();
drop function if exists app.assigned_chapter_ids();
drop function if exists app.profile_role();
drop function if exists app.profile_id();
drop function if exists app.member_org_id();
drop function if exists app.require_shallow_query();
drop function if exists app.current_org_id();
