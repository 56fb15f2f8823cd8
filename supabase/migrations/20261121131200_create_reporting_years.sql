-- Purpose: years that are closed, and the record of who closed and opened them, and why.
-- Locks: none. Data safety: new objects only.

create table if not exists public.reporting_years (
    organization_id uuid        not null references public.organizations (id),
    year            integer     not null check (year between 2000 and 2099),
    locked_at       timestamptz,
    locked_by       uuid        references public.profiles (id),
    primary key (organization_id, year),
    constraint reporting_years_locked_by_somebody
        check ((locked_at is null) = (locked_by is null))
);
comment on table public.reporting_years is
    'Years that are or were locked: app users change nothing that took place in a locked one.';
create index if not exists reporting_years_locked_by_idx on public.reporting_years (locked_by);
alter table public.reporting_years enable row level security;

create table if not exists public.reporting_year_log (
    id              bigint      generated always as identity primary key,
    organization_id uuid        not null references public.organizations (id),
    year            integer     not null,
    is_locked       boolean     not null,
    changed_by      uuid        not null references public.profiles (id),
    changed_at      timestamptz not null default now(),
    reason          text        check (length(reason) <= 500),
    constraint reporting_year_log_reason_to_unlock
        check (is_locked or reason is not null and reason ~ '\S')
);
comment on table public.reporting_year_log is
    'Append-only: who locked and unlocked which year, and why it was unlocked.';
create index if not exists reporting_year_log_organization_id_idx
    on public.reporting_year_log (organization_id, year);
create index if not exists reporting_year_log_changed_by_idx
    on public.reporting_year_log (changed_by);
alter table public.reporting_year_log enable row level security;
create or replace trigger reporting_year_log_refuse_change
    before update or delete or truncate on public.reporting_year_log
    for each statement execute function private.refuse_change();

drop policy if exists "members read their organisation's years" on public.reporting_years;
create policy "members read their organisation's years" on public.reporting_years
    for select to authenticated using (organization_id = (select app.member_org_id()));
drop policy if exists "coordinators and org admins read who locked their years"
    on public.reporting_year_log;
create policy "coordinators and org admins read who locked their years"
    on public.reporting_year_log
    for select to authenticated using (
        organization_id = (select app.member_org_id())
        and (select app.profile_role()) in ('coordinator', 'org_admin'));

revoke all on public.reporting_years, public.reporting_year_log
    from public, anon, authenticated, service_role;
revoke all on sequence public.reporting_year_log_id_seq
    from public, anon, authenticated, service_role;
grant select on public.reporting_years, public.reporting_year_log to authenticated;
