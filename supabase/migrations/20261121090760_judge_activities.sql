-- Purpose: each activity gets its day and what the counting rule says of it, as it is written.
-- Locks: brief, SHARE ROW EXCLUSIVE on activities. Data safety: new objects only.
--
-- Asked of all activities by stats.judgements, and of the one that is written by the trigger: for
-- one row a query costs more than its parts. Whoever changes the one changes the other; the audit
-- compares what the triggers wrote with the view.

-- The rule that holds on the day is the n-th; none before the first.
create or replace view stats.judgements as
    select a.id, d.activity_date,
           coalesce(
               stats.counts_in_statistics(
                   a.status, a.duration_minutes, a.participant_count,
                   r.counts[n.n], r.min_duration_minutes[n.n], r.min_participants[n.n]),
               case when a.duplicate_of is not null then 'duplicate' end) as not_counted_because
    from public.activities a
    left join stats.joined_rules r on r.activity_type_id = a.activity_type_id
    cross join lateral (
        select case when a.is_date_given then a.activity_date
                    else (a.occurred_at at time zone coalesce(r.time_zone, 'UTC'))::date
               end as activity_date
    ) d
    cross join lateral (select width_bucket(d.activity_date, r.valid_from) as n) n;
comment on view stats.judgements is
    'The day of each activity, and null or why it does not count, by the rules of now.';

-- Above READ COMMITTED, a writer's database snapshot may be older than the rules: then their row
-- has changed since, and locking it fails with 40001.
create or replace function stats.judge_activity() returns trigger
    -- DEFINER: writers hold no rights on stats
    language plpgsql security definer set search_path = '' as $$
declare
    v_rule  stats.joined_rules;
    v_n     integer;
    v_today date;
begin
    if current_setting('transaction_isolation') not like 'read%' then
        perform from stats.joined_rules r
        where r.activity_type_id = new.activity_type_id for share;
    end if;
    select r.* into v_rule
    from stats.joined_rules r where r.activity_type_id = new.activity_type_id;
    new.is_date_given := coalesce(new.is_date_given, new.activity_date is not null);
    if not new.is_date_given then
        new.activity_date := (new.occurred_at at time zone coalesce(v_rule.time_zone, 'UTC'))::date;
    end if;
    v_n := width_bucket(new.activity_date, v_rule.valid_from);
    new.not_counted_because := coalesce(
        stats.counts_in_statistics(
            new.status, new.duration_minutes, new.participant_count,
            v_rule.counts[v_n], v_rule.min_duration_minutes[v_n], v_rule.min_participants[v_n]),
        case when new.duplicate_of is not null then 'duplicate' end);
    v_today := (statement_timestamp() at time zone coalesce(v_rule.time_zone, 'UTC'))::date;
    -- the clocks of phones are a little off
    if (new.occurred_at > statement_timestamp() + interval '5 minutes'
            or new.activity_date > v_today)
        and new.status <> 'draft'
        and (new.status, new.occurred_at, new.activity_date)
            is distinct from (old.status, old.occurred_at, old.activity_date) then
        raise exception 'what has not taken place yet can only be a draft'
            using errcode = 'check_violation', constraint = 'activities_to_come_are_drafts';
    end if;
    return new;
end $$;

-- Not at every update: what concerns neither the day nor the rule is refused for neither.
create or replace trigger activities_3_judge
    before insert or update of organization_id, activity_type_id, occurred_at, activity_date,
        is_date_given, duration_minutes, participant_count, status, duplicate_of,
        not_counted_because
    on public.activities
    for each row execute function stats.judge_activity();

-- Both come before that, in the order of their names, and all three before whoever asks for the
-- day. Who corrects the moment alone has not given the day of the new one. Who sends both as they
-- are, as an app does that tries again, changes nothing: nor whether the day was given.
create or replace function private.note_given_date() returns trigger
    language plpgsql security invoker set search_path = '' as $$
begin
    new.is_date_given := tg_argv[0] = 'date' and new.activity_date is not null;
    return new;
end $$;
create or replace trigger activities_1_moment_given
    before update of occurred_at on public.activities
    for each row when (old.occurred_at <> new.occurred_at)
    execute function private.note_given_date('moment');
create or replace trigger activities_2_date_given
    before update of activity_date on public.activities
    for each row when ((old.occurred_at, old.activity_date)
                       is distinct from (new.occurred_at, new.activity_date))
    execute function private.note_given_date('date');

revoke all on stats.judgements from public, anon, authenticated, service_role;
revoke execute on function stats.judge_activity(), private.note_given_date()
    from public, anon, authenticated, service_role;
