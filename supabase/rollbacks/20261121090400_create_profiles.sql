-- Purpose: undo create_profiles: no people, no assignments.
-- Locks: brief, ACCESS EXCLUSIVE on organizations, organization_units and auth.users.
-- Data safety: profiles and assignments are lost; the accounts in auth.users stay.

drop trigger if exists organization_units_check_chapter_stays on public.organization_units;
drop table if exists public.chapter_assignments;
drop table if exists public.profiles;
drop function if exists private.set_sign_in();
drop function if exists private.check_chapter_stays();
drop function if exists private.check_chapter_assignment();
drop type if exists public.profile_role;
