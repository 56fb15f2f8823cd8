-- Purpose: undo create_reporting_years.
-- Locks: none. Data safety: which years are locked, and who locked them, is lost.

drop table if exists public.reporting_year_log;
drop table if exists public.reporting_years;
