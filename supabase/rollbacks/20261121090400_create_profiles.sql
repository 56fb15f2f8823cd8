-- Purpose: undo create_profiles: no people.
-- Locks: brief, ACCESS EXCLUSIVE on organizations and auth.users.
-- Data safety: the profiles are lost; the accounts in auth.users stay.

drop table if exists public.profiles;
drop function if exists private.set_sign_in();
drop type if exists public.profile_role;
