-- Purpose: undo lock_reporting_years: nobody locks or unlocks a year.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.unlock_reporting_year(integer, text);
drop function if exists public.lock_reporting_year(integer);
drop function if exists app.set_year_lock(integer, boolean, text);
drop function if exists stats.close_year(uuid, integer);
drop function if exists stats.year_key(uuid, integer);
