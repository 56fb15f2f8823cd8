-- Purpose: undo create_organizations.
-- Locks: none. Data safety: organisations and their settings are lost.

drop table if exists public.organization_settings;
drop table if exists public.organizations;
drop function if exists private.create_organization_settings();
drop function if exists app.is_time_zone(text);
