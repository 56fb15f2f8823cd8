-- Purpose: what peer mentors register, and the one rule that says what counts.
-- Locks: none. Data safety: new objects only.

do $$
begin
    if to_regtype('public.activity_status') is null then
        create type public.activity_status as enum ('draft', 'registered', 'rejected');
    end if;
end $$;

-- THE COUNTING RULE. Everything that counts activities rests on the column it fills, activities.is_counted.
create or replace function stats.counts_in_statistics(p_status public.activity_status) returns boolean
    language plpgsql immutable parallel safe security invoker set search_path = '' as $$   -- a SQL function with SET is planned anew at every insert
begin
    return p_status = 'registered';
end $$;
comment on function stats.counts_in_statistics(public.activity_status) is
    'The counting rule: whether an activity counts in statistics and reports. Changing it: docs/data-layer.md.';

create or replace function stats.hours(p_minutes bigint) returns numeric
    language plpgsql immutable parallel safe security invoker set search_path = '' as $$
begin
    return round(p_minutes / 60.0, 2);
end $$;
comment on function stats.hours(bigint) is 'Minutes as hours, two decimals. Apply it to sums, never sum its results.';

create table if not exists public.activities (
    id                  uuid                   primary key default gen_random_uuid(),
    organization_id     uuid                   not null default app.current_org_id(),
    unit_id             uuid                   not null,
    peer_mentor_id      uuid                   not null default auth.uid(),
    coordinator_id      uuid,
    activity_type_id    uuid                   not null,
    occurred_at         timestamptz            not null check (occurred_at >= '2000-01-01Z' and occurred_at < '2100-01-01Z'),
    recorded_at         timestamptz            not null default now(),
    duration_minutes    integer                not null check (duration_minutes between 1 and 1440),
    participant_count   integer                not null default 1 check (participant_count between 0 and 10000),
    contact_id          uuid,
    is_proxy_registered boolean                not null default false,
    registered_by       uuid                   not null default auth.uid(),
    status              public.activity_status not null default 'registered',
    summary             text                   check (length(summary) <= 4000),
    approved_expenses_nok numeric(14, 2)       not null default 0 check (approved_expenses_nok >= 0 and approved_expenses_nok <> 'NaN'),
    is_counted          boolean                not null generated always as (stats.counts_in_statistics(status)) stored,
    constraint activities_proxy_is_named check (is_proxy_registered = (registered_by <> peer_mentor_id)),
    -- unit, people and type are of the activity's organisation
    constraint activities_unit_fkey foreign key (unit_id, organization_id)
        references public.organization_units (id, organization_id),
    constraint activities_peer_mentor_fkey foreign key (peer_mentor_id, organization_id)
        references public.profiles (id, organization_id),
    constraint activities_coordinator_fkey foreign key (organization_id, coordinator_id)
        references public.profiles (organization_id, id),
    constraint activities_registered_by_fkey foreign key (registered_by, organization_id)
        references public.profiles (id, organization_id),
    constraint activities_activity_type_fkey foreign key (activity_type_id, organization_id)
        references public.activity_types (id, organization_id)
);
comment on table public.activities is 'What peer mentors register. summary and contact_id are personal data: never in a payload, snapshot, log or statistic.';
comment on column public.activities.occurred_at is 'When it took place; statistics use this, bucketed in UTC.';
comment on column public.activities.recorded_at is 'When it was registered.';
comment on column public.activities.coordinator_id is 'Who follows it up; by default the chapter''s coordinator.';
comment on column public.activities.approved_expenses_nok is 'The sum of its approved expense_claims, kept by their trigger; so an approval is a change of the activity.';
comment on column public.activities.is_counted is 'What the counting rule said when the row was written.';

create index if not exists activities_unit_id_organization_id_occurred_at_idx on public.activities (unit_id, organization_id, occurred_at);
-- also finds a peer mentor's last activity in a chapter, from its end
create index if not exists activities_peer_mentor_id_organization_id_unit_id_occurred_at_idx on public.activities (peer_mentor_id, organization_id, unit_id, occurred_at);
create index if not exists activities_activity_type_id_organization_id_occurred_at_idx on public.activities (activity_type_id, organization_id, occurred_at);
create index if not exists activities_registered_by_organization_id_idx on public.activities (registered_by, organization_id);
-- the order of coordinator_monthly_stats
create index if not exists activities_organization_id_coordinator_id_month_idx on public.activities
    (organization_id, coordinator_id, (date_trunc('month', occurred_at at time zone 'UTC')::date), activity_type_id);
alter table public.activities enable row level security;

create or replace function stats.counts_in_statistics(p_activity public.activities) returns boolean
    language sql immutable parallel safe security invoker set search_path = ''
    return p_activity.is_counted;
comment on function stats.counts_in_statistics(public.activities) is 'Whether this activity counts; the rule itself is counts_in_statistics(status).';

create or replace view stats.countable_activities as
    select a.id, a.organization_id, a.unit_id as chapter_id, a.peer_mentor_id, a.coordinator_id, a.activity_type_id, a.occurred_at,
           (a.occurred_at at time zone 'UTC')::date                       as bucket_date,
           date_trunc('month', a.occurred_at at time zone 'UTC')::date    as activity_month,
           a.duration_minutes, a.participant_count, a.contact_id, a.is_proxy_registered, a.approved_expenses_nok
    from public.activities a
    where a.is_counted;
comment on view stats.countable_activities is 'The activities that count; what every statistic and report reads.';

create or replace function private.set_default_coordinator() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: a peer mentor may not read who coordinates the chapter
begin
    select p.id into new.coordinator_id
    from public.chapter_assignments c
    join public.profiles p on p.id = c.profile_id
    where c.unit_id = new.unit_id and c.organization_id = new.organization_id and p.role = 'coordinator' and p.is_active
    order by c.is_primary desc, p.id
    limit 1;
    return new;
end $$;
revoke execute on function private.set_default_coordinator() from public, anon, authenticated, service_role;

create or replace trigger activities_set_default_coordinator before insert on public.activities
    for each row when (new.coordinator_id is null) execute function private.set_default_coordinator();

drop policy if exists "people read their own activities and those of their chapters" on public.activities;
create policy "people read their own activities and those of their chapters" on public.activities
    for select to authenticated using (
        peer_mentor_id = (select app.profile_id()) or unit_id = any (array(select app.visible_chapter_ids())));

drop policy if exists "people register for themselves, coordinators also by proxy" on public.activities;
create policy "people register for themselves, coordinators also by proxy" on public.activities
    for insert to authenticated with check (
        organization_id = (select app.member_org_id())
        and registered_by = (select app.profile_id())
        and case when is_proxy_registered then unit_id = any (array(select app.visible_chapter_ids()))
                 else unit_id = any (array(select app.assigned_chapter_ids())) end);

drop policy if exists "people correct their own and their chapters' activities" on public.activities;
create policy "people correct their own and their chapters' activities" on public.activities
    for update to authenticated
    using ((peer_mentor_id = (select app.profile_id()) and status <> 'rejected')
           or unit_id = any (array(select app.visible_chapter_ids())))
    with check ((peer_mentor_id = (select app.profile_id()) and status <> 'rejected'
                 and unit_id = any (array(select app.assigned_chapter_ids())))
                or unit_id = any (array(select app.visible_chapter_ids())));

drop policy if exists "people delete their own and their chapters' activities" on public.activities;
create policy "people delete their own and their chapters' activities" on public.activities
    for delete to authenticated
    using ((peer_mentor_id = (select app.profile_id()) and status <> 'rejected')
           or unit_id = any (array(select app.visible_chapter_ids())));

revoke execute on function stats.counts_in_statistics(public.activity_status), stats.counts_in_statistics(public.activities),
    stats.hours(bigint) from public, anon, authenticated, service_role;
-- a generated column and a view's functions are evaluated as whoever writes or reads
grant execute on function stats.counts_in_statistics(public.activity_status) to authenticated, service_role;
grant execute on function stats.hours(bigint) to authenticated, service_role;
revoke all on stats.countable_activities from public, anon, authenticated, service_role;
revoke all on public.activities from public, anon, authenticated, service_role;
grant select, delete,
    insert (id, organization_id, unit_id, peer_mentor_id, coordinator_id, activity_type_id, occurred_at, duration_minutes,
            participant_count, contact_id, is_proxy_registered, registered_by, status, summary),
    update (unit_id, coordinator_id, activity_type_id, occurred_at, duration_minutes, participant_count, contact_id, status, summary)
    on public.activities to authenticated;
-- approved_expenses_nok is the triggers' alone
grant select, delete,
    insert (id, organization_id, unit_id, peer_mentor_id, coordinator_id, activity_type_id, occurred_at, recorded_at,
            duration_minutes, participant_count, contact_id, is_proxy_registered, registered_by, status, summary),
    update (id, organization_id, unit_id, peer_mentor_id, coordinator_id, activity_type_id, occurred_at, recorded_at,
            duration_minutes, participant_count, contact_id, is_proxy_registered, registered_by, status, summary)
    on public.activities to service_role;
