-- Purpose: undo create_counting_rule: no rule says what counts.
-- Locks: brief, ACCESS EXCLUSIVE on activities. Data safety: nothing is lost; what the rule says is
-- computed from the status.

drop function if exists stats.apply_counting_rule();
drop view if exists stats.countable_activities;
drop function if exists stats.hours(bigint);
alter table if exists public.activities drop column if exists is_counted;
drop function if exists stats.counts_in_statistics(public.activity_status);
