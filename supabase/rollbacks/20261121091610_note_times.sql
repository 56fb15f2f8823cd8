-- Purpose: undo note_times.
-- Locks: none. Data safety: when something was last asked for is lost.

drop function if exists stats.is_recent(timestamptz, interval);
drop function if exists stats.note_time(regclass);
drop function if exists stats.noted_time(regclass);
drop sequence if exists stats.fold_took, stats.folded_at, stats.swept_at, stats.refresh_asked_at,
    stats.fold_asked_at;
