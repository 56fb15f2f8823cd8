-- Purpose: undo create_profiles: no people, no assignments.
-- Locks: brief, ACCESS EXCLUSIVE on organizations, organization_units and auth.users.
-- Data safety: profiles and assignments are lost; the accounts in auth.users stay.

drop table if exists public.chapter_assignments;
drop table if exists public.profiles;
drop function if exists private.check_chapter_assignment();
drop type if exists public.profile_role;
