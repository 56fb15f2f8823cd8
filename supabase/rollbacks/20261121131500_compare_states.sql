-- Purpose: undo compare_states.
-- Locks: none. Data safety: nothing is lost.

drop function if exists stats.categories_by_type(jsonb);
drop function if exists stats.category_in(jsonb, jsonb);
drop function if exists stats.contribution(jsonb, date, date);
drop function if exists stats.states_of(uuid[], int8multirange, int8multirange);
drop function if exists stats.unseen_activity_ids(uuid, int8multirange, int8multirange);
