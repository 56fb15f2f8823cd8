-- Purpose: undo create_expense_claims.
-- Locks: brief, ACCESS EXCLUSIVE on the tables it refers to. Data safety: EVERY EXPENSE CLAIM IS LOST.

drop view if exists stats.wrong_expenses;
drop table if exists public.expense_claims;
drop function if exists private.sum_approved_expenses();
drop function if exists private.complete_expense_claim();
drop type if exists public.expense_status;
