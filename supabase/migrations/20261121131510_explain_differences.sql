-- Purpose: why a version differs from another one, or from now: by activity, chapter and person.
-- Locks: none. Data safety: reads only.

-- The two sides of a comparison; without another version, the activities and the mapping of now.
create or replace function stats.report_side(p_version public.bufdir_report_versions,
    p_version_id uuid,
    out seen_inserts int8multirange, out seen_changes int8multirange, out categories jsonb,
    out activity_count bigint, out minutes bigint, out participants bigint)
    language sql stable security invoker set search_path = '' as $$
    select m.seen_inserts, m.seen_changes, stats.categories_by_type(v.mapping),
           (c.report #>> '{totals,activity_count}')::bigint, m.total_minutes,
           (c.report #>> '{totals,participant_count}')::bigint
    from public.bufdir_report_versions v
    join stats.report_marks m on m.version_id = v.id
    join stats.complete_versions c on c.version_id = v.id
    where v.id = p_version_id
    union all
    select '{[1,)}', '{[1,)}', stats.categories_by_type(stats.report_mapping(
               p_version.organization_id, stats.mapping_version(
                   p_version.organization_id, p_version.period_start, p_version.period_end))),
           coalesce(sum(r.activity_count), 0)::bigint, coalesce(sum(r.total_minutes), 0)::bigint,
           coalesce(sum(r.participant_count), 0)::bigint
    from stats.live_monthly_rows r
    where r.organization_id = p_version.organization_id
      and r.activity_month >= p_version.period_start and r.activity_month < p_version.period_end
      and p_version_id is null
    group by () having p_version_id is null
$$;

-- Each side of each activity by itself, the former side negative: so whatever they are grouped by,
-- the effects add up. Hours are rounded from running sums of minutes, and so add up, too.
create or replace function stats.effects(
    p_version public.bufdir_report_versions, p_against uuid)
    returns table (activity_id uuid, kind text, before jsonb, after jsonb, category_before text,
                   category_after text, chapter_id uuid, peer_mentor_id uuid, activity_count bigint,
                   minutes bigint, hours numeric, participants bigint)
    language sql stable security invoker set search_path = '' as $$
    with sides as materialized (
        select b as former, a as latter
        from stats.report_side(p_version, p_version.id) b
        cross join stats.report_side(p_version, p_against) a
    ), ids as materialized (
        select array(
            select stats.unseen_activity_ids(p_version.organization_id, (s.former).seen_inserts,
                                             (s.former).seen_changes)
            union
            select stats.unseen_activity_ids(p_version.organization_id, (s.latter).seen_inserts,
                                             (s.latter).seen_changes)) as ids
        from sides s
    ), states as (
        select i.id, b.facts as before, a.facts as after,
               stats.category_in((s.former).categories, b.facts) as category_before,
               stats.category_in((s.latter).categories, a.facts) as category_after,
               (s.former).minutes as minutes_before
        from sides s cross join ids l cross join unnest(l.ids) i (id)
        left join stats.states_of(l.ids, (s.former).seen_inserts, (s.former).seen_changes) b
            on b.activity_id = i.id
        left join stats.states_of(l.ids, (s.latter).seen_inserts, (s.latter).seen_changes) a
            on a.activity_id = i.id
    ), contributions as (
        select s.*, x.side, (c.c).*, max(x.side) over (partition by s.id) as last_side,
               min(x.side) over (partition by s.id) as first_side
        from states s
        cross join lateral (values (-1, s.before), (1, s.after)) x (side, facts)
        cross join lateral (select stats.contribution(x.facts, p_version.period_start,
                                                      p_version.period_end) as c) c
    )
    select c.id,
           case when c.first_side = 1 and c.before is null then 'added'
                when c.last_side = -1 and c.after is null then 'removed'
                when c.first_side = 1 then 'newly_counted'
                when c.last_side = -1 then 'no_longer_counted'
                when c.category_before is distinct from c.category_after
                     or c.before -> 'activity_type_id' <> c.after -> 'activity_type_id'
                    then 'recategorised'
                else 'edited' end,
           c.before, c.after, c.category_before, c.category_after, c.chapter_id, c.peer_mentor_id,
           c.side, c.side * c.minutes,
           stats.hours(c.minutes_before + sum(c.side * c.minutes) over running)
               - stats.hours(c.minutes_before + coalesce(
                     sum(c.side * c.minutes) over (running rows between unbounded preceding
                                                   and 1 preceding), 0)),
           c.side * c.participants
    from contributions c
    window running as (order by c.id, c.side)
$$;

revoke execute on function stats.report_side(public.bufdir_report_versions, uuid),
    stats.effects(public.bufdir_report_versions, uuid)
    from public, anon, authenticated, service_role;
