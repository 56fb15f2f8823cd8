-- Purpose: undo create_audit: nobody compares the totals with the activities.
-- Locks: none. Data safety: the record of differences is lost.

drop function if exists stats.apply_counting_rule();
drop function if exists stats.heal(uuid[]);
drop function if exists stats.rebuild(uuid[]);
drop function if exists stats.audit(uuid[]);
drop function if exists stats.comparison();
drop table if exists stats.differences;
