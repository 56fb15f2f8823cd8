-- Purpose: undo apply_counting_rules: a rule that changes is not applied to what is there.
-- Locks: brief, ACCESS EXCLUSIVE on counting_rules and organization_settings. Data safety: nothing
-- is lost.

drop trigger if exists organization_settings_apply_time_zone on public.organization_settings;
drop trigger if exists organization_settings_lock on public.organization_settings;
drop function if exists stats.apply_time_zone();
drop trigger if exists counting_rules_apply_deletes on public.counting_rules;
drop trigger if exists counting_rules_apply_moved on public.counting_rules;
drop trigger if exists counting_rules_apply_updates on public.counting_rules;
drop trigger if exists counting_rules_apply_inserts on public.counting_rules;
drop function if exists stats.apply_changed_rules();
drop function if exists stats.apply_counting_rules(uuid[]);
drop function if exists stats.lock_out_writers();
drop view if exists stats.misjudged_activities;
