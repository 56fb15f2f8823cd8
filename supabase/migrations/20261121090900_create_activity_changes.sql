-- Purpose: the change log: what each transaction changed in what counts, as signed sums.
-- Locks: brief, SHARE ROW EXCLUSIVE on activities for its triggers. Data safety: new objects only.
--
-- Append-only: writers insert rows of their own and never wait for each other. The refresh deletes what every
-- snapshot contains (create_refresh); how reads use the log stands in create_snapshots.

create table if not exists stats.activity_changes (
    id                bigint      generated always as identity,   -- no index: nothing looks a row up, and all writers would meet on its last page
    xid               xid8        not null default pg_current_xact_id(),
    changed_at        timestamptz not null default clock_timestamp(),
    organization_id   uuid        not null,
    chapter_id        uuid        not null,
    peer_mentor_id    uuid        not null,
    activity_type_id  uuid        not null,
    bucket_date       date        not null,
    activity_count    bigint      not null,
    total_minutes     bigint      not null,
    participant_count bigint      not null,
    approved_nok      numeric     not null
);
comment on table stats.activity_changes is
    'Append-only log of signed changes to what counts: one row per statement, chapter, peer mentor, type and day. Sums of zero: a contact changed.';
comment on column stats.activity_changes.xid is 'The transaction that made the change; decides which snapshots contain it.';
alter table stats.activity_changes enable row level security;   -- deny-all: no policy

create or replace function stats.log_inserted_activities() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: writers hold no rights on stats
begin
    if (select count(*) from new_rows) = 1 then   -- nearly always: preparing to group would cost as much as writing
        insert into stats.activity_changes
            (organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, activity_count, total_minutes,
             participant_count, approved_nok)
        select n.organization_id, n.unit_id, n.peer_mentor_id, n.activity_type_id, (n.occurred_at at time zone 'UTC')::date,
               1, n.duration_minutes, n.participant_count, n.approved_expenses_nok
        from new_rows n where n.is_counted;
    else
        insert into stats.activity_changes
            (organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, activity_count, total_minutes,
             participant_count, approved_nok)
        select n.organization_id, n.unit_id, n.peer_mentor_id, n.activity_type_id, (n.occurred_at at time zone 'UTC')::date,
               count(*), sum(n.duration_minutes), sum(n.participant_count), sum(n.approved_expenses_nok)
        from new_rows n where n.is_counted
        group by 1, 2, 3, 4, 5;
    end if;
    return null;
end $$;
create or replace trigger activities_log_inserts after insert on public.activities
    referencing new table as new_rows
    for each statement execute function stats.log_inserted_activities();

create or replace function stats.log_deleted_activities() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: as above
begin
    insert into stats.activity_changes
        (organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, activity_count, total_minutes,
         participant_count, approved_nok)
    select o.organization_id, o.unit_id, o.peer_mentor_id, o.activity_type_id, (o.occurred_at at time zone 'UTC')::date,
           -count(*), -sum(o.duration_minutes), -sum(o.participant_count), -sum(o.approved_expenses_nok)
    from old_rows o where o.is_counted
    group by 1, 2, 3, 4, 5;
    return null;
end $$;
create or replace trigger activities_log_deletes after delete on public.activities
    referencing old table as old_rows
    for each statement execute function stats.log_deleted_activities();

-- Grouped by contact first: one that changes alone leaves sums of zero, which tell the hierarchy, where distinct contacts
-- are counted. The log itself names no contact.
create or replace function stats.log_updated_activities() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: as above
begin
    insert into stats.activity_changes
        (organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, activity_count, total_minutes,
         participant_count, approved_nok)
    select g.organization_id, g.unit_id, g.peer_mentor_id, g.activity_type_id, g.bucket_date,
           sum(g.activity_count), sum(g.total_minutes), sum(g.participant_count), sum(g.approved_nok)
    from (
        select c.organization_id, c.unit_id, c.peer_mentor_id, c.activity_type_id, (c.occurred_at at time zone 'UTC')::date as bucket_date,
               sum(c.sign) as activity_count, sum(c.sign * c.duration_minutes) as total_minutes,
               sum(c.sign * c.participant_count) as participant_count, sum(c.sign * c.approved_expenses_nok) as approved_nok
        from (
            select 1 as sign, n.organization_id, n.unit_id, n.peer_mentor_id, n.activity_type_id, n.occurred_at, n.contact_id,
                   n.duration_minutes, n.participant_count, n.approved_expenses_nok
            from new_rows n where n.is_counted
            union all
            select -1, o.organization_id, o.unit_id, o.peer_mentor_id, o.activity_type_id, o.occurred_at, o.contact_id,
                   o.duration_minutes, o.participant_count, o.approved_expenses_nok
            from old_rows o where o.is_counted
        ) c
        group by 1, 2, 3, 4, 5, c.contact_id
        having sum(c.sign) <> 0 or sum(c.sign * c.duration_minutes) <> 0 or sum(c.sign * c.participant_count) <> 0
            or sum(c.sign * c.approved_expenses_nok) <> 0
    ) g
    group by 1, 2, 3, 4, 5;
    return null;
end $$;
create or replace trigger activities_log_updates after update on public.activities
    referencing old table as old_rows new table as new_rows
    for each statement execute function stats.log_updated_activities();

-- TRUNCATE has no transition tables, so it could not be logged.
create or replace function stats.refuse_truncate() returns trigger
    language plpgsql security invoker set search_path = '' as $$
begin
    raise exception 'activities cannot be truncated: the statistics could not follow'
        using errcode = 'feature_not_supported', hint = 'Use DELETE FROM public.activities.';
end $$;
create or replace trigger activities_refuse_truncate before truncate on public.activities
    for each statement execute function stats.refuse_truncate();

revoke all on stats.activity_changes from public, anon, authenticated, service_role;
revoke execute on all functions in schema stats from public, anon;
revoke execute on function stats.log_inserted_activities(), stats.log_deleted_activities(), stats.log_updated_activities(),
    stats.refuse_truncate() from authenticated, service_role;
