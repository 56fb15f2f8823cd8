-- Purpose: what the day and the counting rule need to know of a type of activity, in one row.
-- Locks: brief, SHARE ROW EXCLUSIVE on activity_types. Data safety: new objects only.
--
-- Every writer of an activity looks it up, so it is one look into one index. It is kept from the
-- tables that are written: organization_settings and counting_rules (see apply_counting_rules).

create or replace view stats.effective_rules as
    select t.id as activity_type_id, coalesce(s.time_zone, 'UTC') as time_zone,
           array_remove(array_agg(c.valid_from order by c.valid_from), null) as valid_from,
           array_agg(c.counts order by c.valid_from)               as counts,
           array_agg(c.min_duration_minutes order by c.valid_from) as min_duration_minutes,
           array_agg(c.min_participants order by c.valid_from)     as min_participants
    from public.activity_types t
    left join public.organization_settings s on s.organization_id = t.organization_id
    left join public.counting_rules c
        on c.activity_type_id = t.id and c.organization_id = t.organization_id
    group by t.id, s.time_zone;

create table if not exists stats.joined_rules (
    activity_type_id     uuid      primary key
        references public.activity_types (id) on delete cascade,
    time_zone            text      not null,
    valid_from           date[]    not null,   -- ascending; the other arrays go with it
    counts               boolean[] not null,
    min_duration_minutes integer[] not null,
    min_participants     integer[] not null
);
comment on table stats.joined_rules is 'stats.effective_rules, kept.';
alter table stats.joined_rules enable row level security;   -- deny-all: no policy

create or replace function stats.join_rules(p_activity_type_ids uuid[] default null) returns void
    language sql volatile security invoker set search_path = ''
begin atomic
    insert into stats.joined_rules as j
    select e.* from stats.effective_rules e
    where p_activity_type_ids is null or e.activity_type_id = any (p_activity_type_ids)
    on conflict (activity_type_id) do update
        set time_zone = excluded.time_zone, valid_from = excluded.valid_from,
            counts = excluded.counts, min_duration_minutes = excluded.min_duration_minutes,
            min_participants = excluded.min_participants
        where j is distinct from excluded;
end;

create or replace function stats.join_rules_of_types() returns trigger
    -- DEFINER: who makes a type holds no rights on stats
    language plpgsql security definer set search_path = '' as $$
begin
    perform stats.join_rules(array(select n.id from new_rows n));
    return null;
end $$;
create or replace trigger activity_types_join_rules after insert on public.activity_types
    referencing new table as new_rows
    for each statement execute function stats.join_rules_of_types();
select stats.join_rules();

revoke all on stats.effective_rules, stats.joined_rules
    from public, anon, authenticated, service_role;
revoke execute on function stats.join_rules(uuid[]), stats.join_rules_of_types()
    from public, anon, authenticated, service_role;
