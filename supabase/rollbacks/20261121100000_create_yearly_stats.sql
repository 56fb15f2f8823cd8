-- Purpose: undo create_yearly_stats.
-- Locks: brief, ACCESS EXCLUSIVE on activities for its index. Data safety: nothing is lost; the snapshot is computed from activities.

drop index if exists public.activities_unit_id_occurred_at_contact_id_idx;
drop view if exists stats.live_yearly_rows;
drop materialized view if exists stats.mv_yearly_stats;
-- nothing refreshes it any more, so as a position it would keep every change in the log for good
do $$
begin
    if to_regclass('stats.snapshot_positions') is not null then
        delete from stats.snapshot_positions where relation_name = 'mv_yearly_stats';
    end if;
end $$;
