-- Purpose: undo walk_the_tree.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.get_ancestor_ids(uuid);
drop function if exists app.unit_ancestry(uuid[]);
drop function if exists app.unit_subtree(uuid);
