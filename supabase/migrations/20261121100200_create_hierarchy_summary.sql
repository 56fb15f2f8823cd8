-- Purpose: what a unit's subtree adds up to in a year.
-- Locks: SHARE on activities while the index is built. Data safety: new objects only.

-- Distinct contacts are counted from the activities themselves: a contact is personal data and
-- stands in no total. So whoever calls the summaries locks the activities first, in a statement of
-- its own (create_audit says why).
create index if not exists activities_unit_id_activity_date_contact_id_idx
    on public.activities (unit_id, activity_date) include (contact_id)
    where is_counted and contact_id is not null;

create or replace function stats.hierarchy_payload(
    p_activity_count bigint, p_total_minutes bigint, p_participant_count bigint,
    p_distinct_contacts bigint, p_active_peer_mentors bigint, p_chapters_reporting bigint,
    p_categories jsonb, p_approved_expenses_nok numeric)
    returns jsonb
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
comment on function
    stats.hierarchy_payload(bigint, bigint, bigint, bigint, bigint, bigint, jsonb, numeric) is
    'The one shape of a summary: aggregates only, no personal data.';

create or replace function stats.hierarchy_summary(p_unit_id uuid, p_year integer) returns jsonb
    language sql stable security invoker set search_path = '' as $$
    with unit as (
        select u.organization_id
        from public.organization_units u
        where u.id = p_unit_id
    ), subtree (id) as materialized (
        select s from app.unit_subtree(p_unit_id) s
    ), yearly as materialized (
        select r.chapter_id, r.peer_mentor_id, r.activity_type_id,
               sum(r.activity_count)    as activity_count,
               sum(r.total_minutes)     as total_minutes,
               sum(r.participant_count) as participant_count,
               sum(r.approved_nok)      as approved_nok
        from stats.live_yearly_rows r
        where r.organization_id = (select unit.organization_id from unit)
          and r.period_year = p_year
          and r.chapter_id in (select s.id from subtree s)
        group by 1, 2, 3
        having sum(r.activity_count) <> 0
    ), categories as (
        select coalesce(m.bufdir_category_code, 'uncategorised') as code,
               sum(y.activity_count) as activity_count
        from (
            select v.activity_type_id, sum(v.activity_count) as activity_count
            from yearly v
            group by 1
        ) y
        left join public.bufdir_category_mappings m
            on m.activity_type_id = y.activity_type_id
            and m.mapping_version = (
                select stats.mapping_version(unit.organization_id, p_year) from unit)
        group by 1
    )
    select stats.hierarchy_payload(
        sum(y.activity_count)::bigint,
        sum(y.total_minutes)::bigint,
        sum(y.participant_count)::bigint,
        (select count(*) from (
            select distinct a.contact_id
            from public.activities a
            where a.unit_id in (select s.id from subtree s)
              and a.is_counted
              and a.contact_id is not null
              and a.activity_date >= make_date(p_year, 1, 1)
              and a.activity_date < make_date(p_year + 1, 1, 1)) d),
        (select count(*) from (select distinct v.peer_mentor_id from yearly v) d),
        count(distinct y.chapter_id),
        (select jsonb_object_agg(c.code, c.activity_count) from categories c),
        sum(y.approved_nok))
    from yearly y
$$;
comment on function stats.hierarchy_summary(uuid, integer) is
    'The summary of one unit''s subtree in one year, exact at the caller''s snapshot.';

revoke execute on function
    stats.hierarchy_payload(bigint, bigint, bigint, bigint, bigint, bigint, jsonb, numeric),
    stats.hierarchy_summary(uuid, integer)
    from public, anon, authenticated, service_role;
