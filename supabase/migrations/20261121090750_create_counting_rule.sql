-- Purpose: THE COUNTING RULE: what counts, how minutes become hours, and the activities that count.
-- Locks: brief, ACCESS EXCLUSIVE on activities; rewrites the table, which is empty when it is new.
-- Data safety: new objects only.
--
-- Everything that counts activities rests on the column that the rule fills, activities.is_counted.

-- PL/pgSQL, because a SQL function with SET is planned anew at every insert. The last three are
-- those of the counting_rules' row that holds for the activity, null where there is none.
create or replace function stats.counts_in_statistics(
    p_status public.activity_status, p_duration_minutes integer, p_participant_count integer,
    p_counts boolean, p_min_duration_minutes integer, p_min_participants integer)
    returns text
    language plpgsql stable parallel safe security invoker set search_path = '' as $$
begin
    return case
        when p_status <> 'registered' then p_status::text
        when not p_counts then 'type_does_not_count'
        when p_duration_minutes < p_min_duration_minutes then 'too_short'
        when p_participant_count < p_min_participants then 'too_few_participants'
    end;
end $$;
comment on function stats.counts_in_statistics(
    public.activity_status, integer, integer, boolean, integer, integer) is
    'The counting rule: null for an activity that counts in statistics and reports, else why not. '
    'Changing it: docs/howto/change-the-counting-rule.md.';

alter table public.activities add column if not exists not_counted_because text;
alter table public.activities add column if not exists
    is_counted boolean not null generated always as (not_counted_because is null) stored;
comment on column public.activities.not_counted_because is
    'Null for an activity that counts, else the reason: draft, rejected, type_does_not_count, '
    'too_short, too_few_participants, duplicate. Written by the counting rule alone.';
comment on column public.activities.is_counted is
    'Whether it counts, in every statistic and report.';

create or replace function stats.hours(p_minutes bigint) returns numeric
    language plpgsql immutable parallel safe security invoker set search_path = '' as $$
begin
    return round(p_minutes / 60.0, 2);
end $$;
comment on function stats.hours(bigint) is
    'Minutes as hours, two decimals. Apply it to sums, never sum its results.';

create or replace view stats.countable_activities as
    select a.id, a.organization_id, a.unit_id as chapter_id, a.peer_mentor_id, a.coordinator_id,
           a.activity_type_id, a.occurred_at,
           a.activity_date as bucket_date,
           date_trunc('month', a.activity_date::timestamp)::date as activity_month,
           a.duration_minutes, a.participant_count, a.contact_id, a.is_proxy_registered,
           a.approved_expenses_nok, a.recorded_at
    from public.activities a
    where a.is_counted;
comment on view stats.countable_activities is
    'The activities that count, each on its day; what every statistic and report reads.';

revoke all on stats.countable_activities from public, anon, authenticated, service_role;
revoke execute on function
    stats.counts_in_statistics(public.activity_status, integer, integer, boolean, integer, integer),
    stats.hours(bigint)
    from public, anon, authenticated, service_role;
-- a view's functions are evaluated as whoever reads
grant execute on function stats.hours(bigint) to authenticated, service_role;
