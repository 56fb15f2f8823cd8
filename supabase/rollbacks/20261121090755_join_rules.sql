-- Purpose: undo join_rules: the rules stand in their own tables only.
-- Locks: brief, ACCESS EXCLUSIVE on activity_types. Data safety: nothing is lost.

drop trigger if exists activity_types_join_rules on public.activity_types;
drop function if exists stats.join_rules_of_types();
drop function if exists stats.join_rules(uuid[]);
drop table if exists stats.joined_rules;
drop view if exists stats.effective_rules;
