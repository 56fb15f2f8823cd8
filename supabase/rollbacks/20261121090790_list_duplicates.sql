-- Purpose: undo list_duplicates.
-- Locks: brief, ACCESS EXCLUSIVE on activities. Data safety: what was found to be no duplicate is
-- lost.

drop view if exists public.possible_duplicates;
drop table if exists public.not_duplicates;
