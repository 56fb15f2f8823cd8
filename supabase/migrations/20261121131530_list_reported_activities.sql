-- Purpose: the activities that a version was made of, as they were.
-- Locks: none. Data safety: reads only.

create or replace function stats.reported_activities(p_version public.bufdir_report_versions)
    returns table (activity_id uuid, chapter_id uuid, activity_type_id uuid, minutes integer,
                   participants integer)
    language sql stable security invoker set search_path = '' as $$
    with mark as materialized (
        select m.seen_inserts, m.seen_changes, array(
                   select stats.unseen_activity_ids(p_version.organization_id, m.seen_inserts,
                                                    m.seen_changes)) as unseen_ids
        from stats.report_marks m where m.version_id = p_version.id
    )
    select a.id, a.chapter_id, a.activity_type_id, a.duration_minutes, a.participant_count
    from stats.countable_activities a
    where a.organization_id = p_version.organization_id
      and a.bucket_date >= p_version.period_start and a.bucket_date < p_version.period_end
      and a.id not in (select unnest(m.unseen_ids) from mark m)
    union all
    select s.activity_id, c.chapter_id, (s.facts ->> 'activity_type_id')::uuid, c.minutes,
           c.participants
    from mark m
    cross join stats.states_of(m.unseen_ids, m.seen_inserts, m.seen_changes) s
    cross join stats.contribution(s.facts, p_version.period_start, p_version.period_end) c
$$;

-- For auditors: what each chapter added, and every activity by its id, without a person.
create or replace function stats.audit_basis(p_version public.bufdir_report_versions)
    returns jsonb
    language sql stable security invoker set search_path = '' as $$
    with reported as materialized (
        select * from stats.reported_activities(p_version)
    )
    select jsonb_build_object(
        'chapters', (
            select coalesce(jsonb_agg(jsonb_build_object(
                       'chapter_id', c.chapter_id, 'chapter_name', u.name,
                       'activity_count', c.number, 'total_minutes', c.minutes,
                       'participant_count', c.participants) order by u.name, u.id), '[]')
            from (select r.chapter_id, count(*) as number, sum(r.minutes) as minutes,
                         sum(r.participants) as participants
                  from reported r group by 1) c
            join public.organization_units u on u.id = c.chapter_id),
        'activities', (
            select coalesce(jsonb_agg(to_jsonb(r) order by r.activity_id), '[]') from reported r))
$$;

revoke execute on function stats.reported_activities(public.bufdir_report_versions),
    stats.audit_basis(public.bufdir_report_versions)
    from public, anon, authenticated, service_role;
