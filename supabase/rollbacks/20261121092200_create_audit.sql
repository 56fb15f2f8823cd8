-- Purpose: undo create_audit: nobody compares the totals with the activities.
-- Locks: none. Data safety: the record of differences is lost.

drop function if exists stats.audit(uuid[]);
drop function if exists stats.people_of_chapters(uuid[]);
drop function if exists stats.comparison();
drop table if exists stats.differences;
