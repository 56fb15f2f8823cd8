-- Purpose: an activity carries the sum of its approved expenses.
-- Locks: brief, SHARE ROW EXCLUSIVE on expense_claims. Data safety: new objects only.
--
-- So an approval goes through the triggers of activities like any other change, and statistics are
-- exact at its commit without a join.

-- Computed anew from the claims each time: a sum that is only added to keeps for ever what once
-- went wrong.
create or replace view stats.wrong_expenses as
    select a.id as activity_id, a.unit_id as chapter_id, c.approved_nok
    from public.activities a
    cross join lateral (
        select coalesce(sum(e.amount_nok), 0) as approved_nok
        from public.expense_claims e
        where e.activity_id = a.id and e.status = 'approved') c
    where a.approved_expenses_nok <> c.approved_nok;
comment on view stats.wrong_expenses is
    'Activities whose approved_expenses_nok is not the sum of their approved claims, and what it '
    'has to be.';
revoke all on stats.wrong_expenses from public, anon, authenticated, service_role;

create or replace function private.sum_approved_expenses() returns trigger
    -- DEFINER: who approves may not write the sum
    language plpgsql security definer set search_path = '' as $$
declare
    v_ids uuid[] := array[case when tg_op <> 'INSERT' then old.activity_id end,
                          case when tg_op <> 'DELETE' then new.activity_id end];
begin
    -- Locked in a statement of its own: the next one's snapshot then has what another session
    -- approved meanwhile.
    perform from public.activities a where a.id = any (v_ids) order by a.id for no key update;
    update public.activities a
    set approved_expenses_nok = w.approved_nok
    from stats.wrong_expenses w
    where w.activity_id = a.id and a.id = any (v_ids);
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
