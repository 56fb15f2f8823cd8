-- Purpose: undo create_unit_search.
-- Locks: brief, ACCESS EXCLUSIVE on organization_units for its index. Data safety: nothing is lost.

drop function if exists public.search_units(text, integer);
drop function if exists app.recent_unit_ids(integer);
drop index if exists public.organization_units_name_search_idx;
drop function if exists app.search_key(text);
