-- Purpose: undo check_unit_tree: a change of the tree is not checked.
-- Locks: brief, ACCESS EXCLUSIVE on organization_units. Data safety: nothing is lost.

drop trigger if exists organization_units_check_tree_on_update on public.organization_units;
drop trigger if exists organization_units_check_tree_on_insert on public.organization_units;
drop function if exists private.check_unit_tree();
