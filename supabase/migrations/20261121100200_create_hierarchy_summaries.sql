-- Purpose: what a unit's subtree adds up to: for one unit, and for all units of an organisation in one statement.
-- Locks: SHARE on activities while the index is built. Data safety: new objects only.

-- Distinct contacts are counted from the activities themselves: a contact is personal data and stands in no total. So
-- whoever calls the summaries locks the activities first, in a statement of its own (create_audit says why).
create index if not exists activities_unit_id_occurred_at_contact_id_idx
    on public.activities (unit_id, occurred_at) include (contact_id)
    where is_counted and contact_id is not null;

create or replace function public.get_ancestor_ids(unit_id uuid) returns setof uuid
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_is_cycle boolean;
    v_id       uuid;
begin
    -- One recursive CTE; a damaged tree ends the walk instead of hanging it.
    for v_id, v_is_cycle in
        with recursive walk (id, level) as (
            select u.parent_id, 1 from public.organization_units u where u.id = get_ancestor_ids.unit_id
            union all
            select u.parent_id, w.level + 1 from walk w join public.organization_units u on u.id = w.id
        ) cycle id set is_cycle using path
        select w.id, w.is_cycle or w.id = get_ancestor_ids.unit_id from walk w where w.id is not null order by w.level
    loop
        if v_is_cycle then
            raise warning 'the tree is damaged: the ancestors of unit % form a cycle', get_ancestor_ids.unit_id;
            return;
        end if;
        return next v_id;
    end loop;
end $$;
comment on function public.get_ancestor_ids(uuid) is 'The ancestors of a unit, nearest first, itself excluded; of the units the caller may read.';

-- (unit, each ancestor or itself); at most five levels, so a cycle ends too.
create or replace view stats.unit_ancestry as
    with recursive climb (unit_id, ancestor_id, parent_id, level) as (
        select u.id, u.id, u.parent_id, 1 from public.organization_units u
        union all
        select c.unit_id, p.id, p.parent_id, c.level + 1
        from climb c join public.organization_units p on p.id = c.parent_id
        where c.level < 5
    )
    select unit_id, ancestor_id from climb;

create or replace function stats.current_mapping_version(p_organization_id uuid) returns integer
    language sql stable security invoker set search_path = ''
    return (select max(m.mapping_version) from public.bufdir_category_mappings m
            join public.activity_types t on t.id = m.activity_type_id where t.organization_id = p_organization_id);

create or replace function stats.hierarchy_payload(
    p_activity_count bigint, p_total_minutes bigint, p_participant_count bigint, p_distinct_contacts bigint,
    p_active_peer_mentors bigint, p_chapters_reporting bigint, p_categories jsonb, p_approved_expenses_nok numeric) returns jsonb
    language sql immutable security invoker set search_path = ''
    return jsonb_build_object(
        'activity_count', coalesce(p_activity_count, 0),
        'total_hours', stats.hours(coalesce(p_total_minutes, 0)),
        'participant_count', coalesce(p_participant_count, 0),
        'distinct_contacts', coalesce(p_distinct_contacts, 0),
        'active_peer_mentors', coalesce(p_active_peer_mentors, 0),
        'chapters_reporting', coalesce(p_chapters_reporting, 0),
        'categories', coalesce(p_categories, '{}'),
        'approved_expenses_nok', coalesce(p_approved_expenses_nok, 0)::numeric(14, 2));
comment on function stats.hierarchy_payload(bigint, bigint, bigint, bigint, bigint, bigint, jsonb, numeric) is
    'The one shape of a summary: aggregates only, no personal data.';

create or replace function stats.hierarchy_summary(p_unit_id uuid, p_year integer) returns jsonb
    language sql stable security invoker set search_path = '' as $$
    with recursive unit as (
        select u.id, u.organization_id, make_timestamptz(p_year, 1, 1, 0, 0, 0, 'UTC') as starts,
               make_timestamptz(p_year + 1, 1, 1, 0, 0, 0, 'UTC') as ends
        from public.organization_units u where u.id = p_unit_id
    ), subtree (id, level) as (
        select unit.id, 1 from unit
        union all
        select u.id, s.level + 1 from subtree s join public.organization_units u on u.parent_id = s.id where s.level < 5
    ), yearly as materialized (
        select r.chapter_id, r.peer_mentor_id, r.activity_type_id, sum(r.activity_count) as activity_count,
               sum(r.total_minutes) as total_minutes, sum(r.participant_count) as participant_count, sum(r.approved_nok) as approved_nok
        from stats.live_yearly_rows r
        where r.organization_id = (select unit.organization_id from unit) and r.period_year = p_year
          and r.chapter_id in (select s.id from subtree s)
        group by 1, 2, 3
        having sum(r.activity_count) <> 0
    ), categories as (
        select coalesce(m.bufdir_category_code, 'uncategorised') as code, sum(y.activity_count) as activity_count
        from (select v.activity_type_id, sum(v.activity_count) as activity_count from yearly v group by 1) y
        left join public.bufdir_category_mappings m on m.activity_type_id = y.activity_type_id
            and m.mapping_version = (select stats.current_mapping_version(unit.organization_id) from unit)
        group by 1
    )
    select stats.hierarchy_payload(
        sum(y.activity_count)::bigint, sum(y.total_minutes)::bigint, sum(y.participant_count)::bigint,
        (select count(*) from (
            select distinct a.contact_id from public.activities a cross join unit
            where a.unit_id in (select s.id from subtree s) and a.is_counted and a.contact_id is not null
              and a.occurred_at >= unit.starts and a.occurred_at < unit.ends) d),
        (select count(*) from (select distinct v.peer_mentor_id from yearly v) d),
        count(distinct y.chapter_id),
        (select jsonb_object_agg(c.code, c.activity_count) from categories c),
        sum(y.approved_nok))
    from yearly y
$$;
comment on function stats.hierarchy_summary(uuid, integer) is 'The summary of one unit''s subtree in one year, exact at the caller''s snapshot.';

create or replace function stats.hierarchy_summaries(p_organization_id uuid, p_year integer) returns table (unit_id uuid, payload jsonb)
    language sql stable security invoker set search_path = '' as $$
    with recursive span as (
        select make_timestamptz(p_year, 1, 1, 0, 0, 0, 'UTC') as starts, make_timestamptz(p_year + 1, 1, 1, 0, 0, 0, 'UTC') as ends
    ), ancestry as materialized (
        select c.unit_id, c.ancestor_id from stats.unit_ancestry c
        join public.organization_units u on u.id = c.unit_id and u.organization_id = p_organization_id
    ), yearly as materialized (
        select r.chapter_id, r.peer_mentor_id, r.activity_type_id, sum(r.activity_count) as activity_count,
               sum(r.total_minutes) as total_minutes, sum(r.participant_count) as participant_count, sum(r.approved_nok) as approved_nok
        from stats.live_yearly_rows r
        where r.organization_id = p_organization_id and r.period_year = p_year
        group by 1, 2, 3
        having sum(r.activity_count) <> 0
    ), chapters as (
        select y.chapter_id, sum(y.activity_count) as activity_count, sum(y.total_minutes) as total_minutes,
               sum(y.participant_count) as participant_count, sum(y.approved_nok) as approved_nok
        from yearly y group by 1
    ), totals as (
        select c.ancestor_id, sum(h.activity_count)::bigint as activity_count, sum(h.total_minutes)::bigint as total_minutes,
               sum(h.participant_count)::bigint as participant_count, sum(h.approved_nok) as approved_nok, count(*) as chapters_reporting
        from chapters h join ancestry c on c.unit_id = h.chapter_id group by 1
    ), mentors as (
        select d.ancestor_id, count(*) as active_peer_mentors
        from (select distinct c.ancestor_id, y.peer_mentor_id
              from (select distinct v.chapter_id, v.peer_mentor_id from yearly v) y join ancestry c on c.unit_id = y.chapter_id) d
        group by 1
    ), reach (unit_id, contact_id) as (
        -- level by level: what two chapters share is carried up once
        select a.unit_id, a.contact_id
        from span cross join public.activities a
        where a.unit_id in (select u.id from public.organization_units u where u.organization_id = p_organization_id)
          and a.is_counted and a.contact_id is not null and a.occurred_at >= span.starts and a.occurred_at < span.ends
        union
        select u.parent_id, r.contact_id
        from reach r join public.organization_units u on u.id = r.unit_id
        where u.parent_id is not null
    ), contacts as (
        select r.unit_id as ancestor_id, count(*) as distinct_contacts from reach r group by 1
    ), categories as (
        select x.ancestor_id, jsonb_object_agg(x.code, x.activity_count) as categories
        from (select c.ancestor_id, coalesce(m.bufdir_category_code, 'uncategorised') as code, sum(t.activity_count) as activity_count
              from (select y.chapter_id, y.activity_type_id, sum(y.activity_count) as activity_count from yearly y group by 1, 2) t
              join ancestry c on c.unit_id = t.chapter_id
              left join public.bufdir_category_mappings m on m.activity_type_id = t.activity_type_id
                  and m.mapping_version = (select stats.current_mapping_version(p_organization_id))
              group by 1, 2) x
        group by 1
    )
    select u.id, stats.hierarchy_payload(t.activity_count, t.total_minutes, t.participant_count, k.distinct_contacts,
                                         m.active_peer_mentors, t.chapters_reporting, g.categories, t.approved_nok)
    from public.organization_units u
    left join totals t on t.ancestor_id = u.id
    left join mentors m on m.ancestor_id = u.id
    left join contacts k on k.ancestor_id = u.id
    left join categories g on g.ancestor_id = u.id
    where u.organization_id = p_organization_id
$$;
comment on function stats.hierarchy_summaries(uuid, integer) is 'The summaries of every unit of an organisation, bottom-up in one statement.';

revoke all on stats.unit_ancestry from public, anon, authenticated, service_role;
revoke execute on function public.get_ancestor_ids(uuid), stats.current_mapping_version(uuid),
    stats.hierarchy_payload(bigint, bigint, bigint, bigint, bigint, bigint, jsonb, numeric),
    stats.hierarchy_summary(uuid, integer), stats.hierarchy_summaries(uuid, integer)
    from public, anon, authenticated, service_role;
grant execute on function public.get_ancestor_ids(uuid) to authenticated, service_role;
