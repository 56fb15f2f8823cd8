-- Purpose: undo create_counting_rules: no rules by type and day.
-- Locks: brief, ACCESS EXCLUSIVE on activity_types. Data safety: THE RULES ARE LOST.

drop table if exists public.counting_rules;
