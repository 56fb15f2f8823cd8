-- Purpose: the activities that a version was made of, as they were.
-- Locks: none. Data safety: reads only.

create or replace function stats.reported_activities(p_version public.bufdir_report_versions)
    returns table (activity_id uuid, facts jsonb)
    language sql stable security invoker set search_path = '' as $$
    with mark as materialized (
        select m.seen_inserts, m.seen_changes, array(
                   select stats.unseen_activity_ids(p_version.organization_id, m.seen_inserts,
                                                    m.seen_changes)) as unseen_ids
        from stats.report_marks m where m.version_id = p_version.id
    )
    select f.id, f.facts
    from stats.activity_facts f
    join public.activities a on a.id = f.id
    where a.organization_id = p_version.organization_id and a.is_counted
      and a.activity_date >= p_version.period_start and a.activity_date < p_version.period_end
      and not exists (select from mark m where f.id = any (m.unseen_ids))
    union all
    select s.activity_id, s.facts
    from mark m cross join stats.states_of(m.unseen_ids, m.seen_inserts, m.seen_changes) s
    where exists (select from stats.contribution(s.facts, p_version.period_start,
                                                 p_version.period_end))
$$;

-- For auditors: what each chapter added, and every activity by its id, without a person.
create or replace function stats.audit_basis(p_version public.bufdir_report_versions)
    returns jsonb
    language sql stable security invoker set search_path = '' as $$
    with reported as materialized (
        select r.activity_id, (r.facts ->> 'unit_id')::uuid as chapter_id,
               (r.facts ->> 'activity_type_id')::uuid as activity_type_id,
               (r.facts ->> 'duration_minutes')::bigint as minutes,
               (r.facts ->> 'participant_count')::bigint as participants
        from stats.reported_activities(p_version) r
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
