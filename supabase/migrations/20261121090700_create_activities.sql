-- Purpose: what peer mentors register.
-- Locks: none. Data safety: new objects only.

do $$
begin
    if to_regtype('public.activity_status') is null then
        create type public.activity_status as enum ('draft', 'registered', 'rejected');
    end if;
end $$;

create table if not exists public.activities (
    id                    uuid                   primary key default gen_random_uuid(),
    organization_id       uuid                   not null default app.current_org_id(),
    unit_id               uuid                   not null,
    peer_mentor_id        uuid                   not null default auth.uid(),
    coordinator_id        uuid,
    activity_type_id      uuid                   not null,
    occurred_at           timestamptz            not null,
    -- given by the app, or derived from occurred_at (see judge_activities); of a year that can be
    -- asked for
    activity_date         date                   not null
        check (activity_date >= '2000-01-01' and activity_date < '2100-01-01'),
    is_date_given         boolean,
    recorded_at           timestamptz            not null default now(),
    inserted_at           timestamptz            not null default clock_timestamp(),
    insert_number         bigint                 not null generated always as identity,
    duration_minutes      integer                not null
        check (duration_minutes between 1 and 1440),
    participant_count     integer                not null default 1
        check (participant_count between 0 and 10000),
    contact_id            uuid,
    is_proxy_registered   boolean                not null default false,
    registered_by         uuid                   not null default auth.uid(),
    status                public.activity_status not null default 'registered',
    duplicate_of          uuid                   check (duplicate_of <> id),
    summary               text                   check (length(summary) <= 4000),
    approved_expenses_nok numeric(14, 2)         not null default 0
        check (approved_expenses_nok >= 0 and approved_expenses_nok <> 'NaN'),
    -- in every time zone, the day is at most one off that of UTC
    constraint activities_date_fits_moment
        check (activity_date between (occurred_at at time zone 'UTC')::date - 1
                                 and (occurred_at at time zone 'UTC')::date + 1),
    constraint activities_proxy_is_named
        check (is_proxy_registered = (registered_by <> peer_mentor_id)),
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
        references public.activity_types (id, organization_id),
    constraint activities_duplicate_of_fkey foreign key (duplicate_of)
        references public.activities (id)
);
comment on table public.activities is
    'What peer mentors register. summary and contact_id are personal data: never in a payload, '
    'snapshot, log or statistic.';
comment on column public.activities.occurred_at is
    'When it took place.';
comment on column public.activities.activity_date is
    'The day on which it took place: what every statistic, report, month and year uses.';
comment on column public.activities.is_date_given is
    'Whether the app gave activity_date; else it is derived in the organisation''s time zone.';
comment on column public.activities.recorded_at is 'When it was registered.';
comment on column public.activities.inserted_at is
    'When the row was written, by the server''s clock: from here on activity_history tells all.';
comment on column public.activities.insert_number is
    'Which of all inserts this was: what tells a report which it has seen (mark_reports).';
comment on column public.activities.coordinator_id is
    'Who followed it up when it was written; statistics ask who does now.';
comment on column public.activities.duplicate_of is
    'The activity that counts in its place: the same one, registered once more.';
comment on column public.activities.approved_expenses_nok is
    'The sum of its approved expense_claims, kept by their trigger; so an approval is a change of '
    'the activity.';

create index if not exists activities_unit_id_organization_id_activity_date_idx
    on public.activities (unit_id, organization_id, activity_date);
-- also finds a peer mentor's last activity in a chapter, from its end
create index if not exists activities_peer_mentor_id_organization_id_unit_id_date_idx
    on public.activities (peer_mentor_id, organization_id, unit_id, activity_date);
create index if not exists activities_activity_type_id_organization_id_activity_date_idx
    on public.activities (activity_type_id, organization_id, activity_date);
create index if not exists activities_registered_by_organization_id_idx
    on public.activities (registered_by, organization_id);
-- the order of coordinator_monthly_stats
create index if not exists activities_organization_id_coordinator_id_month_idx
    on public.activities (organization_id, coordinator_id,
        (date_trunc('month', activity_date::timestamp)::date), activity_type_id);
create index if not exists activities_duplicate_of_idx
    on public.activities (duplicate_of) where duplicate_of is not null;
-- ascending, so that an insert finds its end at once
create index if not exists activities_insert_number_idx on public.activities (insert_number);
alter table public.activities enable row level security;

revoke all on public.activities from public, anon, authenticated, service_role;
-- An update may name again what does not change (see keep_identity), as an upsert does.
grant select, delete,
    insert (id, organization_id, unit_id, peer_mentor_id, coordinator_id, activity_type_id,
            occurred_at, activity_date, duration_minutes, participant_count, contact_id,
            is_proxy_registered, registered_by, status, summary),
    update (id, organization_id, unit_id, peer_mentor_id, coordinator_id, activity_type_id,
            occurred_at, activity_date, duration_minutes, participant_count, contact_id,
            is_proxy_registered, registered_by, status, duplicate_of, summary)
    on public.activities to authenticated;
-- what is missing here is the triggers' alone
grant select, delete,
    insert (id, organization_id, unit_id, peer_mentor_id, coordinator_id, activity_type_id,
            occurred_at, activity_date, recorded_at, duration_minutes, participant_count,
            contact_id, is_proxy_registered, registered_by, status, summary),
    update (id, organization_id, unit_id, peer_mentor_id, coordinator_id, activity_type_id,
            occurred_at, activity_date, recorded_at, duration_minutes, participant_count,
            contact_id, is_proxy_registered, registered_by, status, duplicate_of, summary)
    on public.activities to service_role;
