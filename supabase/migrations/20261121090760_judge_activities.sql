-- Purpose: each activity gets its day and what the counting rule says of it, as it is written.
-- Locks: brief, SHARE ROW EXCLUSIVE on activities. Data safety: new objects only.
--
-- Said once, by stats.judgements, about all activities. The trigger's function is written from it
-- by stats.define_judge(), about the row that is written; whoever changes the one calls the other.

create or replace view stats.judgements as
    select a.id, d.activity_date,
           -- the rule that holds on the day is the n-th; none before the first
           coalesce(
               stats.counts_in_statistics(
                   a.status, a.duration_minutes, a.participant_count,
                   r.counts[n.n], r.min_duration_minutes[n.n], r.min_participants[n.n]),
               case when a.duplicate_of is not null then 'duplicate' end) as not_counted_because,
           -- the clocks of phones are a little off
           a.occurred_at > statement_timestamp() + interval '5 minutes'
               or d.activity_date > (statement_timestamp() at time zone d.time_zone)::date
               as is_to_come
    from public.activities a
    left join stats.joined_rules r on r.activity_type_id = a.activity_type_id
    cross join lateral (
        select coalesce(r.time_zone, 'UTC') as time_zone,
               case when a.is_date_given then a.activity_date
                    else (a.occurred_at at time zone coalesce(r.time_zone, 'UTC'))::date
               end as activity_date
    ) d
    cross join lateral (select width_bucket(d.activity_date, r.valid_from) as n) n;
comment on view stats.judgements is
    'The day of each activity, and null or why it does not count, by the rules of now.';

-- The view's own query, over other rows. The view by its name: a function that names one by its
-- regclass would have to go before the view can be made anew.
create or replace function stats.view_over(p_view text, p_relation text, p_rows text)
    returns text
    language sql stable security invoker set search_path = ''
    return format('(%s)', replace(
        rtrim(pg_get_viewdef(p_view::regclass), ';'), p_relation, p_rows));

-- Above READ COMMITTED, a writer's database snapshot may be older than the rules: then their row
-- has changed since, and locking it fails with 40001.
create or replace function stats.define_judge() returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    execute format($define$
        create or replace function stats.judge_activity() returns trigger
            -- DEFINER: writers hold no rights on stats
            language plpgsql security definer set search_path = '' as $body$
        declare
            v_is_to_come boolean;
        begin
            if current_setting('transaction_isolation') not like 'read%%' then
                perform from stats.joined_rules r
                where r.activity_type_id = new.activity_type_id for share;
            end if;
            new.is_date_given := coalesce(new.is_date_given, new.activity_date is not null);
            select j.activity_date, j.not_counted_because, j.is_to_come
            into new.activity_date, new.not_counted_because, v_is_to_come
            from %s j;
            if v_is_to_come and new.status <> 'draft'
                and (new.status, new.occurred_at, new.activity_date)
                    is distinct from (old.status, old.occurred_at, old.activity_date) then
                raise exception 'what has not taken place yet can only be a draft'
                    using errcode = 'check_violation', constraint = 'activities_to_come_are_drafts';
            end if;
            return new;
        end $body$ $define$,
        stats.view_over('stats.judgements', 'public.activities', (
            select format('(select %s)', string_agg(format('new.%1$I as %1$I', c.attname), ', '
                                                    order by c.attnum))
            from pg_catalog.pg_attribute c
            where c.attrelid = 'public.activities'::regclass
              and c.attnum > 0 and not c.attisdropped and c.attgenerated = '')));
end $$;
comment on function stats.define_judge() is
    'Writes the trigger function from stats.judgements; called again when that has changed.';
select stats.define_judge();

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
revoke execute on function stats.view_over(text, text, text), stats.define_judge(),
    stats.judge_activity(), private.note_given_date()
    from public, anon, authenticated, service_role;
