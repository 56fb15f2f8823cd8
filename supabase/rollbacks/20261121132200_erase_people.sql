-- Purpose: undo erase_people: nobody can be erased.
-- Locks: brief, ACCESS EXCLUSIVE on profiles. Data safety: nothing is lost; who was erased stays
-- so.

drop function if exists public.erase_person(uuid);
drop function if exists app.erase_person(uuid);
drop function if exists private.delete_sign_in(uuid);
drop trigger if exists profiles_erase_person on public.profiles;
drop trigger if exists profiles_forget_person on public.profiles;
drop function if exists private.erase_person();
drop function if exists private.forget_person();
drop function if exists private.erase_traces(uuid);
