-- Purpose: undo create_counting_rule: no rule says what counts.
-- Locks: brief, ACCESS EXCLUSIVE on activities. Data safety: nothing is lost; what the rule says is
-- computed from the activities.

drop view if exists stats.countable_activities;
drop function if exists stats.hours(bigint);
alter table if exists public.activities
    drop column if exists is_counted, drop column if exists not_counted_because;
drop function if exists stats.counts_in_statistics(
    public.activity_status, integer, integer, boolean, integer, integer);
