-- Purpose: undo sum_approved_expenses: the sums stay as they are.
-- Locks: brief, ACCESS EXCLUSIVE on expense_claims. Data safety: after a new start, activities
-- carry the sums of before.

drop trigger if exists expense_claims_sum_deleted on public.expense_claims;
drop trigger if exists expense_claims_sum_updated on public.expense_claims;
drop trigger if exists expense_claims_sum_inserted on public.expense_claims;
drop function if exists private.sum_approved_expenses();
drop view if exists stats.wrong_expenses;
