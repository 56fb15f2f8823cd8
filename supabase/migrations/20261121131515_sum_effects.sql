-- Purpose: the effects of a comparison summed by kind, chapter and person, and each by itself.
-- Locks: none. Data safety: reads only.

create or replace function stats.effect(p_activity_count numeric, p_minutes numeric,
    p_hours numeric, p_participants numeric)
    returns jsonb
    language sql immutable security invoker set search_path = ''
    return jsonb_build_object('activity_count', p_activity_count::bigint,
        'total_minutes', p_minutes::bigint, 'total_hours', p_hours,
        'participant_count', p_participants::bigint);

-- Of what an activity is, what a report and its explanation show.
create or replace function stats.reported_facts(p_facts jsonb) returns jsonb
    language sql immutable security invoker set search_path = ''
    return (select jsonb_object_agg(f.key, f.value) from jsonb_each(p_facts) f
            where f.key in ('unit_id', 'peer_mentor_id', 'activity_type_id', 'activity_date',
                            'duration_minutes', 'participant_count', 'is_counted',
                            'not_counted_because'));

-- What is in no history (triggers were off) is said, too: so the effects always add up.
create or replace function stats.explained_difference(
    p_version public.bufdir_report_versions, p_against uuid)
    returns jsonb
    language sql stable security invoker set search_path = '' as $$
    with sides as materialized (
        select b as former, a as latter
        from stats.report_side(p_version, p_version.id) b
        cross join stats.report_side(p_version, p_against) a
    ), effects as materialized (
        select * from stats.effects(p_version, p_against)
    ), by_activity as (
        select e.activity_id, e.kind, e.before, e.after, e.category_before, e.category_after,
               sum(e.activity_count)::bigint as activity_count, sum(e.minutes)::bigint as minutes,
               sum(e.hours) as hours, sum(e.participants)::bigint as participants
        from effects e group by 1, 2, 3, 4, 5, 6
    ), differing as (
        select a.* from by_activity a
        where a.kind <> 'edited'
           or stats.reported_facts(a.before) <> stats.reported_facts(a.after)
    ), difference as (
        select (s.latter).activity_count - (s.former).activity_count as activity_count,
               (s.latter).minutes - (s.former).minutes as minutes,
               stats.hours((s.latter).minutes) - stats.hours((s.former).minutes) as hours,
               (s.latter).participants - (s.former).participants as participants
        from sides s
    )
    select jsonb_build_object(
        'version', p_version.id, 'against', p_against,
        'difference', stats.effect(d.activity_count, d.minutes, d.hours, d.participants),
        'unrecorded', stats.effect(d.activity_count - t.activity_count, d.minutes - t.minutes,
                                   d.hours - t.hours, d.participants - t.participants),
        'mapping_changes', (
            select coalesce(jsonb_agg(jsonb_build_object(
                       'activity_type_id', k.id, 'category_before', b.code,
                       'category_after', a.code) order by k.id), '[]')
            from sides s
            cross join lateral jsonb_object_keys((s.former).categories || (s.latter).categories)
                k (id)
            cross join lateral (select (s.former).categories ->> k.id as code) b
            cross join lateral (select (s.latter).categories ->> k.id as code) a
            where b.code is distinct from a.code),
        'kinds', (
            select coalesce(jsonb_agg(jsonb_build_object('kind', g.kind, 'activities', g.number)
                       || stats.effect(g.activity_count, g.minutes, g.hours, g.participants)
                       order by g.kind), '[]')
            from (select f.kind, count(*) as number, sum(f.activity_count) as activity_count,
                         sum(f.minutes) as minutes, sum(f.hours) as hours,
                         sum(f.participants) as participants
                  from differing f group by 1) g),
        'chapters', (
            select coalesce(jsonb_agg(jsonb_build_object('chapter_id', g.id, 'chapter_name', u.name)
                       || stats.effect(g.activity_count, g.minutes, g.hours, g.participants)
                       order by u.name, g.id), '[]')
            from (select e.chapter_id as id, sum(e.activity_count) as activity_count,
                         sum(e.minutes) as minutes, sum(e.hours) as hours,
                         sum(e.participants) as participants
                  from effects e group by 1) g
            join public.organization_units u on u.id = g.id),
        'people', (
            select coalesce(jsonb_agg(jsonb_build_object(
                           'peer_mentor_id', g.id, 'peer_mentor_name', p.display_name)
                       || stats.effect(g.activity_count, g.minutes, g.hours, g.participants)
                       order by p.display_name, g.id), '[]')
            from (select e.peer_mentor_id as id, sum(e.activity_count) as activity_count,
                         sum(e.minutes) as minutes, sum(e.hours) as hours,
                         sum(e.participants) as participants
                  from effects e group by 1) g
            join public.profiles p on p.id = g.id),
        'activities', (
            select coalesce(jsonb_agg(jsonb_build_object(
                           'activity_id', f.activity_id, 'kind', f.kind,
                           'before', stats.reported_facts(f.before),
                           'after', stats.reported_facts(f.after),
                           'category_before', f.category_before,
                           'category_after', f.category_after)
                       || stats.effect(f.activity_count, f.minutes, f.hours, f.participants)
                       order by f.activity_id), '[]')
            from differing f))
    from difference d
    cross join (select coalesce(sum(e.activity_count), 0) as activity_count,
                       coalesce(sum(e.minutes), 0) as minutes, coalesce(sum(e.hours), 0) as hours,
                       coalesce(sum(e.participants), 0) as participants
                from effects e) t
$$;

revoke execute on function stats.effect(numeric, numeric, numeric, numeric),
    stats.reported_facts(jsonb),
    stats.explained_difference(public.bufdir_report_versions, uuid)
    from public, anon, authenticated, service_role;
