-- Purpose: undo create_erasures: no record of erasures.
-- Locks: brief, ACCESS EXCLUSIVE on organizations and profiles.
-- Data safety: THE RECORD OF ERASURES IS LOST; what was erased stays erased.

drop function if exists private.lock_erasures(uuid);
drop function if exists private.pseudonymize_contacts(uuid, uuid[], boolean);
drop table if exists private.contact_pseudonyms;
drop function if exists app.administers(uuid);
drop function if exists private.record_erasure(uuid, text, bigint);
drop table if exists public.erasures;
