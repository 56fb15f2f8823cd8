-- Purpose: THE COUNTING RULE: what counts, how minutes become hours, and the activities that count.
-- Locks: brief, ACCESS EXCLUSIVE on activities; rewrites the table, which is empty when it is new.
-- Data safety: new objects only.
--
-- Everything that counts activities rests on the column that the rule fills, activities.is_counted.

-- PL/pgSQL, because a SQL function with SET is planned anew at every insert.
create or replace function stats.counts_in_statistics(p_status public.activity_status)
    returns boolean
    language plpgsql immutable parallel safe security invoker set search_path = '' as $$
begin
    return p_status = 'registered';
end $$;
comment on function stats.counts_in_statistics(public.activity_status) is
    'The counting rule: whether an activity counts in statistics and reports. Changing it: '
    'docs/howto/change-the-counting-rule.md.';

alter table public.activities add column if not exists
    is_counted boolean not null generated always as (stats.counts_in_statistics(status)) stored;
comment on column public.activities.is_counted is
    'What the counting rule said when the row was written.';

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
           (a.occurred_at at time zone 'UTC')::date                    as bucket_date,
           date_trunc('month', a.occurred_at at time zone 'UTC')::date as activity_month,
           a.duration_minutes, a.participant_count, a.contact_id, a.is_proxy_registered,
           a.approved_expenses_nok
    from public.activities a
    where a.is_counted;
comment on view stats.countable_activities is
    'The activities that count; what every statistic and report reads.';

-- After stats.counts_in_statistics was replaced. The lock waits for writers that still count by the
-- old rule, and keeps others off until the new one is committed; taken first, it cannot deadlock
-- with them.
create or replace function stats.apply_counting_rule() returns bigint
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_changed bigint;
begin
    lock table public.activities in share row exclusive mode;
    update public.activities a set status = a.status
    where a.is_counted <> stats.counts_in_statistics(a.status);
    get diagnostics v_changed = row_count;
    return v_changed;
end $$;
comment on function stats.apply_counting_rule() is
    'Evaluates a changed counting rule for every activity; the number of those that count '
    'differently. docs/howto/change-the-counting-rule.md.';

revoke all on stats.countable_activities from public, anon, authenticated, service_role;
revoke execute on function
    stats.counts_in_statistics(public.activity_status), stats.hours(bigint),
    stats.apply_counting_rule()
    from public, anon, authenticated, service_role;
-- a generated column and a view's functions are evaluated as whoever writes or reads
grant execute on function stats.counts_in_statistics(public.activity_status), stats.hours(bigint)
    to authenticated, service_role;
