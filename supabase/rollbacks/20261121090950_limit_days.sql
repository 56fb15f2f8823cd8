-- Purpose: undo limit_days: a person may register more than 24 hours a day.
-- Locks: none. Data safety: nothing is lost; the sums are computed from the activities.

drop view if exists stats.missing_minutes;
drop function if exists stats.sum_and_add_minutes(text);
drop function if exists stats.add_minutes(text);
drop table if exists stats.daily_minutes;
drop view if exists stats.registered_minutes;
