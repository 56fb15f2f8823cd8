-- Purpose: undo export_bufdir_snapshot: nobody exports.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.export_bufdir_snapshot(date, date, integer);
drop function if exists app.export_bufdir_snapshot(date, date);
drop function if exists stats.pass_gate(uuid, date, date);
