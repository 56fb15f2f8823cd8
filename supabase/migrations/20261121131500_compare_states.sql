-- Purpose: what each activity was for a version, and what is different for another one, or now.
-- Locks: none. Data safety: reads only.

-- What may be different: whatever the version has not seen.
create or replace function stats.unseen_activity_ids(
    p_organization_id uuid, p_seen_inserts int8multirange, p_seen_changes int8multirange)
    returns setof uuid
    language sql stable security invoker set search_path = '' as $$
    -- offset: the few ranges first, and their rows by index
    select a.id from stats.unseen(p_seen_inserts) u
    cross join lateral (
        select i.id, i.organization_id from public.activities i
        where i.insert_number between u.first_number and u.last_number offset 0) a
    where a.organization_id = p_organization_id
    union
    select h.activity_id from stats.unseen(p_seen_changes) u
    cross join lateral (
        select c.activity_id, c.organization_id from public.activity_history c
        where c.id between u.first_number and u.last_number offset 0) h
    where h.organization_id = p_organization_id
$$;

-- The first change that a version has not seen says what the activity was before it; where there is
-- none, it is as now. One that was inserted later was nothing.
create or replace function stats.states_of(
    p_activity_ids uuid[], p_seen_inserts int8multirange, p_seen_changes int8multirange)
    returns table (activity_id uuid, facts jsonb)
    language sql stable security invoker set search_path = ''
    set enable_hashjoin = off set enable_mergejoin = off as $$
    select i.id, s.facts
    from unnest(p_activity_ids) i (id)
    left join stats.activity_facts f on f.id = i.id
    left join lateral (
        select h.before from public.activity_history h
        where h.activity_id = i.id and not p_seen_changes @> h.id
        order by h.id limit 1) h on true
    cross join lateral (select coalesce(h.before, f.facts) as facts) s
    where p_seen_inserts @> (s.facts ->> 'insert_number')::bigint
$$;

-- What an activity adds to a report; no row where it adds nothing.
create or replace function stats.contribution(
    p_facts jsonb, p_period_start date, p_period_end date,
    out chapter_id uuid, out peer_mentor_id uuid, out minutes integer, out participants integer)
    returns setof record
    language sql immutable security invoker set search_path = '' rows 1 as $$
    select (p_facts ->> 'unit_id')::uuid, (p_facts ->> 'peer_mentor_id')::uuid,
           (p_facts ->> 'duration_minutes')::integer, (p_facts ->> 'participant_count')::integer
    where (p_facts ->> 'is_counted')::boolean
      and (p_facts ->> 'activity_date')::date >= p_period_start
      and (p_facts ->> 'activity_date')::date < p_period_end
$$;

create or replace function stats.category_in(p_mapping jsonb, p_facts jsonb) returns text
    language sql immutable security invoker set search_path = ''
    return p_mapping ->> (p_facts ->> 'activity_type_id');

-- As one object, type by type.
create or replace function stats.categories_by_type(p_mapping jsonb) returns jsonb
    language sql immutable security invoker set search_path = ''
    return (select coalesce(jsonb_object_agg(m ->> 'activity_type_id', m -> 'bufdir_category_code'),
                            '{}')
            from jsonb_array_elements(p_mapping) m);

revoke execute on function
    stats.unseen_activity_ids(uuid, int8multirange, int8multirange),
    stats.states_of(uuid[], int8multirange, int8multirange),
    stats.contribution(jsonb, date, date), stats.category_in(jsonb, jsonb),
    stats.categories_by_type(jsonb)
    from public, anon, authenticated, service_role;
