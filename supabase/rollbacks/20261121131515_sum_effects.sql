-- Purpose: undo sum_effects.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.explained_difference(public.bufdir_report_versions, uuid);
drop function if exists stats.reported_facts(jsonb);
drop function if exists stats.effect(numeric, numeric, numeric, numeric);
