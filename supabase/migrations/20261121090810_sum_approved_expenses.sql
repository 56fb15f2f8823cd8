-- Purpose: an activity carries the sum of its approved expenses.
-- Locks: brief, SHARE ROW EXCLUSIVE on expense_claims. Data safety: new objects only.
--
-- So an approval goes through the triggers of activities like any other change, and statistics are
-- exact at its commit without a join.

create or replace function private.sum_approved_expenses() returns trigger
    -- DEFINER: who approves may not write the sum
    language plpgsql security definer set search_path = '' as $$
begin
    if tg_op <> 'INSERT' and old.status = 'approved' then
        update public.activities a
        set approved_expenses_nok = a.approved_expenses_nok - old.amount_nok
        where a.id = old.activity_id;
    end if;
    if tg_op <> 'DELETE' and new.status = 'approved' then
        update public.activities a
        set approved_expenses_nok = a.approved_expenses_nok + new.amount_nok
        where a.id = new.activity_id;
    end if;
    return null;
end $$;
revoke execute on function private.sum_approved_expenses()
    from public, anon, authenticated, service_role;

create or replace trigger expense_claims_sum_inserted
    after insert on public.expense_claims
    for each row when (new.status = 'approved')
    execute function private.sum_approved_expenses();
create or replace trigger expense_claims_sum_updated
    after update on public.expense_claims
    for each row when ((old.status, old.amount_nok, old.activity_id)
                       is distinct from (new.status, new.amount_nok, new.activity_id))
    execute function private.sum_approved_expenses();
create or replace trigger expense_claims_sum_deleted
    after delete on public.expense_claims
    for each row when (old.status = 'approved')
    execute function private.sum_approved_expenses();
