-- Purpose: how many activities of each Bufdir category an organisation must report.
-- Locks: none. Data safety: new objects only.

create table if not exists public.bufdir_thresholds (
    organization_id        uuid    not null
        references public.organizations (id) on delete cascade,
    valid_from_year        integer not null check (valid_from_year between 2000 and 2099),
    bufdir_category_code   text    not null   -- as mappings have it, or none would meet it
        check (bufdir_category_code ~ '^[A-Z0-9][A-Z0-9_.-]{0,31}$'),
    minimum_activity_count bigint  not null check (minimum_activity_count >= 0),
    at_risk_ratio          numeric not null default 0.8 check (at_risk_ratio between 0 and 1),
    primary key (organization_id, bufdir_category_code, valid_from_year)
);
comment on table public.bufdir_thresholds is
    'How many activities of a category an organisation must report in a year. A year has the '
    'newest row that is valid for it, so one for later years never touches an earlier one.';
comment on column public.bufdir_thresholds.minimum_activity_count is
    '0: from this year on the category has no threshold.';
comment on column public.bufdir_thresholds.at_risk_ratio is
    'From this share of the minimum on at_risk; below it below_threshold; from the minimum on '
    'on_track.';
alter table public.bufdir_thresholds enable row level security;

drop policy if exists "members read their organisation's thresholds"
    on public.bufdir_thresholds;
create policy "members read their organisation's thresholds" on public.bufdir_thresholds
    for select to authenticated using (organization_id = (select app.member_org_id()));

revoke all on public.bufdir_thresholds from public, anon, authenticated, service_role;
grant select on public.bufdir_thresholds to authenticated;
grant select, insert, update, delete on public.bufdir_thresholds to service_role;
