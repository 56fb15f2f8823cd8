-- Purpose: undo erase_contacts: no contact can be erased.
-- Locks: none. Data safety: nothing is lost; who was erased stays so.

drop function if exists public.erase_contact(uuid);
drop function if exists app.erase_contact(uuid);
