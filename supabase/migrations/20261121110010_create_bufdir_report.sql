-- Purpose: the yearly report to Bufdir, on the same countable activities as every statistic.
-- Locks: none. Data safety: new objects only.

create or replace function stats.bufdir_report(
    p_organization_id uuid, p_period_start date, p_period_end date, p_mapping_version integer)
    returns jsonb
    language sql stable security invoker set search_path = '' as $$
    with countable as materialized (
        select a.chapter_id, a.activity_type_id, a.duration_minutes, a.participant_count,
               a.contact_id, m.bufdir_category_code as category, r.unit_id as region_id
        from stats.countable_activities a
        left join public.bufdir_category_mappings m
            on m.activity_type_id = a.activity_type_id
            and m.mapping_version = p_mapping_version
        left join stats.unit_regions r on r.chapter_id = a.chapter_id
        where a.organization_id = p_organization_id
          and a.bucket_date >= p_period_start
          and a.bucket_date < p_period_end
    ), grouped as (
        -- a person counts once in each group, whether met directly or registered by proxy
        select grouping(c.category, c.activity_type_id, c.region_id) as part,
               c.category, c.activity_type_id, c.region_id,
               jsonb_build_object(
                   'activity_count', count(*),
                   'total_hours', stats.hours(coalesce(sum(c.duration_minutes), 0)::bigint),
                   'distinct_participants', count(distinct c.contact_id),
                   'participant_count', coalesce(sum(c.participant_count), 0)) as figures
        from countable c
        group by grouping sets (
            (c.category), (c.category, c.activity_type_id), (c.region_id), ())
    )
    select jsonb_build_object(
        'organization_id', p_organization_id,
        'period_start', p_period_start,
        'period_end', p_period_end,
        'mapping_version', p_mapping_version,
        'categories', coalesce((
            select jsonb_agg(
                jsonb_build_object('bufdir_category_code', g.category) || g.figures
                order by g.category)
            from grouped g
            where g.part = 3 and g.category is not null), '[]'),
        'uncategorised', coalesce((
            select jsonb_agg(
                jsonb_build_object('activity_type_id', g.activity_type_id,
                                   'activity_type_code', t.code) || g.figures
                order by t.code)
            from grouped g
            join public.activity_types t on t.id = g.activity_type_id
            where g.part = 1 and g.category is null), '[]'),
        'regions', coalesce((
            select jsonb_agg(
                jsonb_build_object('region_unit_id', g.region_id, 'region_name', u.name)
                    || g.figures
                order by u.name, g.region_id)
            from grouped g
            left join public.organization_units u on u.id = g.region_id
            where g.part = 6), '[]'),
        'totals', (select g.figures from grouped g where g.part = 7))
$$;
comment on function stats.bufdir_report(uuid, date, date, integer) is
    'Per category, region and in all; from p_period_start to before p_period_end; types '
    'without a category stand in uncategorised.';

revoke execute on function stats.bufdir_report(uuid, date, date, integer)
    from public, anon, authenticated, service_role;
