-- Purpose: expenses of activities, and who decided on them.
-- Locks: none. Data safety: new objects only.

do $$
begin
    if to_regtype('public.expense_status') is null then
        create type public.expense_status as enum ('pending', 'approved', 'rejected');
    end if;
end $$;

create table if not exists public.expense_claims (
    id              uuid                  primary key default gen_random_uuid(),
    organization_id uuid                  not null references public.organizations (id),
    -- no cascade: what was paid out does not vanish with the activity
    activity_id     uuid                  not null references public.activities (id),
    amount_nok      numeric(12, 2)        not null
        check (amount_nok > 0 and amount_nok <= 1000000),   -- nor NaN; so no sum overflows
    status          public.expense_status not null default 'pending',
    decided_at      timestamptz,
    decided_by      uuid                  references public.profiles (id),
    constraint expense_claims_decision_is_complete
        check ((status = 'pending') = (decided_at is null))
);
comment on table public.expense_claims is
    'Expenses of activities; approved ones count in coordinator_monthly_stats.';
create index if not exists expense_claims_activity_id_idx
    on public.expense_claims (activity_id);
create index if not exists expense_claims_organization_id_status_idx
    on public.expense_claims (organization_id, status);
create index if not exists expense_claims_decided_by_idx
    on public.expense_claims (decided_by);
alter table public.expense_claims enable row level security;

create or replace function private.complete_expense_claim() returns trigger
    -- DEFINER: reads the activity whatever the caller may read; RLS checks the row after
    language plpgsql security definer set search_path = '' as $$
begin
    if tg_op = 'INSERT' then
        select a.organization_id into new.organization_id
        from public.activities a
        where a.id = new.activity_id;
        if not found then
            raise exception 'the activity does not exist' using errcode = 'foreign_key_violation';
        end if;
    end if;
    if new.status = 'pending' then
        new.decided_at := null;
        new.decided_by := null;
    elsif tg_op = 'INSERT' or new.status <> old.status then
        new.decided_at := coalesce(case when tg_op = 'INSERT' then new.decided_at end, now());
        new.decided_by := coalesce(auth.uid(), new.decided_by);
    end if;
    return new;
end $$;
revoke execute on function private.complete_expense_claim()
    from public, anon, authenticated, service_role;

create or replace trigger expense_claims_complete
    before insert or update on public.expense_claims
    for each row execute function private.complete_expense_claim();

drop policy if exists "people read the expenses of the activities they read"
    on public.expense_claims;
create policy "people read the expenses of the activities they read"
    on public.expense_claims
    for select to authenticated using (
        organization_id = (select app.member_org_id())
        -- as filtered by the policies of activities
        and exists (select from public.activities a where a.id = activity_id));

drop policy if exists "people claim expenses of their own activities"
    on public.expense_claims;
create policy "people claim expenses of their own activities"
    on public.expense_claims
    for insert to authenticated with check (
        organization_id = (select app.member_org_id())
        and status = 'pending'
        and exists (
            select from public.activities a
            where a.id = activity_id and a.peer_mentor_id = (select app.profile_id())));

drop policy if exists "coordinators decide on the expenses of their chapters"
    on public.expense_claims;
create policy "coordinators decide on the expenses of their chapters"
    on public.expense_claims
    for update to authenticated
    using (
        exists (
            select from public.activities a
            where a.id = activity_id
              and a.unit_id = any (array(select app.visible_chapter_ids()))
              -- nobody decides on their own
              and a.peer_mentor_id <> (select app.profile_id())))
    with check (organization_id = (select app.member_org_id()));

drop policy if exists "people withdraw their pending expenses" on public.expense_claims;
create policy "people withdraw their pending expenses" on public.expense_claims
    for delete to authenticated using (
        status = 'pending'
        and exists (
            select from public.activities a
            where a.id = activity_id and a.peer_mentor_id = (select app.profile_id())));

revoke all on public.expense_claims from public, anon, authenticated, service_role;
grant select, delete, insert (id, activity_id, amount_nok), update (status)
    on public.expense_claims to authenticated;
grant select, insert, update, delete on public.expense_claims to service_role;
