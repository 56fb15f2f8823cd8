-- Purpose: what the subtrees of all units of an organisation add up to, in one statement.
-- Locks: none. Data safety: new objects only.

create or replace function stats.hierarchy_summaries(p_organization_id uuid, p_year integer)
    returns table (unit_id uuid, payload jsonb)
    language sql stable security invoker set search_path = '' as $$
    with recursive units as materialized (
        select u.id, u.parent_id
        from public.organization_units u
        where u.organization_id = p_organization_id
    ), ancestry as materialized (
        select a.unit_id, a.ancestor_id from app.unit_ancestry(array(select u.id from units u)) a
    ), yearly as materialized (
        select r.chapter_id, r.peer_mentor_id, r.activity_type_id,
               sum(r.activity_count)    as activity_count,
               sum(r.total_minutes)     as total_minutes,
               sum(r.participant_count) as participant_count,
               sum(r.approved_nok)      as approved_nok
        from stats.live_yearly_rows r
        where r.organization_id = p_organization_id and r.period_year = p_year
        group by 1, 2, 3
        having sum(r.activity_count) <> 0
    ), chapters as (
        select y.chapter_id,
               sum(y.activity_count)    as activity_count,
               sum(y.total_minutes)     as total_minutes,
               sum(y.participant_count) as participant_count,
               sum(y.approved_nok)      as approved_nok
        from yearly y
        group by 1
    ), totals as (
        select c.ancestor_id,
               sum(h.activity_count)::bigint    as activity_count,
               sum(h.total_minutes)::bigint     as total_minutes,
               sum(h.participant_count)::bigint as participant_count,
               sum(h.approved_nok)              as approved_nok,
               count(*)                         as chapters_reporting
        from chapters h
        join ancestry c on c.unit_id = h.chapter_id
        group by 1
    ), mentors as (
        select d.ancestor_id, count(*) as active_peer_mentors
        from (
            select distinct c.ancestor_id, y.peer_mentor_id
            from (select distinct v.chapter_id, v.peer_mentor_id from yearly v) y
            join ancestry c on c.unit_id = y.chapter_id
        ) d
        group by 1
    ), reach (unit_id, contact_id) as (
        -- A walk of its own, which carries contacts: level by level, so that what two chapters
        -- share is carried up once. UNION ends it also where the tree has a cycle.
        select a.unit_id, a.contact_id
        from public.activities a
        where a.unit_id in (select u.id from units u)
          and a.is_counted
          and a.contact_id is not null
          and a.activity_date >= make_date(p_year, 1, 1)
          and a.activity_date < make_date(p_year + 1, 1, 1)
        union
        select u.parent_id, r.contact_id
        from reach r
        join units u on u.id = r.unit_id
        where u.parent_id is not null
    ), contacts as (
        select r.unit_id as ancestor_id, count(*) as distinct_contacts from reach r group by 1
    ), categories as (
        select x.ancestor_id, jsonb_object_agg(x.code, x.activity_count) as categories
        from (
            select c.ancestor_id, coalesce(m.bufdir_category_code, 'uncategorised') as code,
                   sum(t.activity_count) as activity_count
            from (
                select y.chapter_id, y.activity_type_id, sum(y.activity_count) as activity_count
                from yearly y
                group by 1, 2
            ) t
            join ancestry c on c.unit_id = t.chapter_id
            left join public.bufdir_category_mappings m
                on m.activity_type_id = t.activity_type_id
                and m.mapping_version = (select stats.mapping_version(p_organization_id, p_year))
            group by 1, 2
        ) x
        group by 1
    )
    select u.id, stats.hierarchy_payload(
        t.activity_count, t.total_minutes, t.participant_count, k.distinct_contacts,
        m.active_peer_mentors, t.chapters_reporting, g.categories, t.approved_nok)
    from units u
    left join totals t on t.ancestor_id = u.id
    left join mentors m on m.ancestor_id = u.id
    left join contacts k on k.ancestor_id = u.id
    left join categories g on g.ancestor_id = u.id
$$;
comment on function stats.hierarchy_summaries(uuid, integer) is
    'The summaries of every unit of an organisation, bottom-up in one statement.';

revoke execute on function stats.hierarchy_summaries(uuid, integer)
    from public, anon, authenticated, service_role;
