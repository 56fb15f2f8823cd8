-- Purpose: undo create_retention: texts and contacts are kept as long as their activities.
-- Locks: brief, ACCESS EXCLUSIVE on organization_settings.
-- Data safety: the settings are lost; what was erased stays erased.

drop function if exists private.apply_retention(timestamptz, integer);
alter table if exists public.organization_settings
    drop column if exists text_retention,
    drop column if exists contact_retention;
