-- Purpose: undo let_admins_manage_people: people are managed by the operator again.
-- Locks: brief, ACCESS EXCLUSIVE on chapter_assignments. Data safety: nothing is lost.

drop policy if exists "org admins take assignments back" on public.chapter_assignments;
drop policy if exists "org admins name the primary chapter" on public.chapter_assignments;
drop policy if exists "org admins assign people" on public.chapter_assignments;
alter table public.chapter_assignments alter column organization_id drop default;
revoke insert (profile_id, unit_id, organization_id, is_primary), update (is_primary), delete
    on public.chapter_assignments from authenticated;
drop function if exists app.administered_unit_ids();
drop function if exists public.save_person(uuid, text, public.profile_role, boolean);
drop function if exists app.save_person(uuid, text, public.profile_role, boolean);
drop function if exists public.get_sign_ins();
drop function if exists app.get_sign_ins();
drop view if exists private.sign_ins;
