-- Purpose: undo create_member_policies: nobody but the service role reads these tables.
-- Locks: brief, ACCESS EXCLUSIVE on the tables that lose policies. Data safety: nothing is lost.

drop policy if exists "people read their own assignments and those of their chapters"
    on public.chapter_assignments;
drop policy if exists "members rename themselves" on public.profiles;
drop policy if exists "people read themselves and those they follow up" on public.profiles;
drop policy if exists "members read their organisation's units" on public.organization_units;
drop policy if exists "members read their organisation's settings"
    on public.organization_settings;
drop policy if exists "members read their organisation" on public.organizations;
