-- Purpose: the yearly report to Bufdir, on the same countable activities as every statistic.
-- Locks: none. Data safety: new objects only.

-- The activities are read once, for the report and its fingerprint; all that follows has a row for
-- each contact, region and type. Those are fewer than the planner expects, so it may plan with more
-- memory than is used; and it must know the period, or it plans for a few rows. Without p_is_whole,
-- the report is null, and not computed.
--
-- The fingerprint sees everything the report shows: the count alone would miss an edit, or one
-- added and one deleted. Hashes of rows, which all differ, joined by XOR, so it needs no order.
-- Of contacts it sees which activities have the same one, not which: a contact that is erased gets
-- another id, and what was saved and sent stays true.
create or replace function stats.reported(
    p_organization_id uuid, p_period_start date, p_period_end date, p_mapping_version integer,
    p_is_whole boolean, out record_count bigint, out fingerprint text, out report jsonb)
    language plpgsql stable security invoker set search_path = ''
    set plan_cache_mode = force_custom_plan set work_mem = '64MB' set hash_mem_multiplier = 4 as $$
begin
    with source as (
        select r.unit_id as region_id, a.activity_type_id, a.contact_id, count(*) as number,
               sum(a.duration_minutes) as minutes, sum(a.participant_count) as participants,
               bit_xor(hashint8extended(hash_record_extended(row(
                   a.id, a.chapter_id, a.bucket_date, a.duration_minutes, a.participant_count),
                   0), 0)) as hash
        from stats.countable_activities a
        left join stats.unit_regions r on r.chapter_id = a.chapter_id
        where a.organization_id = p_organization_id
          and a.bucket_date >= p_period_start
          and a.bucket_date < p_period_end
        group by 1, 2, 3
    ), named as materialized (
        select s.*, m.bufdir_category_code as category,
               hashint8extended(hash_record_extended(row(
                   s.hash, t.id, t.code, u.id, u.name), 0), 0) as named_hash
        from source s
        join public.activity_types t on t.id = s.activity_type_id
        left join public.organization_units u on u.id = s.region_id
        left join public.bufdir_category_mappings m
            on m.activity_type_id = s.activity_type_id and m.mapping_version = p_mapping_version
    ), contacts as (
        select sum(n.number) as number,
               case when n.contact_id is null then bit_xor(n.named_hash)
                    else hashint8extended(bit_xor(n.named_hash), 0) end as hash
        from named n group by n.contact_id
    ), grouped as (
        -- a person counts once in each group, whether met directly or registered by proxy
        select grouping(n.category, n.activity_type_id, n.region_id) as part, n.category,
               n.activity_type_id, n.region_id,
               jsonb_build_object(
                   'activity_count', coalesce(sum(n.number), 0),
                   'total_hours', stats.hours(coalesce(sum(n.minutes), 0)::bigint),
                   'distinct_participants', count(distinct n.contact_id),
                   'participant_count', coalesce(sum(n.participants), 0)) as figures
        from named n
        group by grouping sets (
            (n.category), (n.category, n.activity_type_id), (n.region_id), ())
    )
    select coalesce(sum(c.number), 0)::bigint,
           left(md5(coalesce(sum(c.number), 0) || '/' || coalesce(bit_xor(c.hash), 0)), 16)
               || stats.mapping_fingerprint(p_organization_id, p_mapping_version),
           case when p_is_whole then jsonb_build_object(
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
                       jsonb_build_object('region_unit_id', g.region_id,
                                          'region_name', u.name) || g.figures
                       order by u.name, g.region_id)
                   from grouped g
                   left join public.organization_units u on u.id = g.region_id
                   where g.part = 6), '[]'),
               'totals', (select g.figures from grouped g where g.part = 7)) end
    into record_count, fingerprint, report
    from contacts c;
end $$;
comment on function stats.reported(uuid, date, date, integer, boolean) is
    'How many activities a report rests on, a fingerprint, and the report: per category, region '
    'and in all; from p_period_start to before p_period_end; types without a category stand in '
    'uncategorised. The first half of the fingerprint is about the activities and their regions, '
    'the second about the mapping.';

create or replace function stats.report_source(
    p_organization_id uuid, p_period_start date, p_period_end date, p_mapping_version integer,
    out record_count bigint, out fingerprint text)
    language sql stable security invoker set search_path = '' as $$
    select r.record_count, r.fingerprint
    from stats.reported(p_organization_id, p_period_start, p_period_end, p_mapping_version, false) r
$$;
create or replace function stats.bufdir_report(
    p_organization_id uuid, p_period_start date, p_period_end date, p_mapping_version integer)
    returns jsonb
    language sql stable security invoker set search_path = ''
    return (select r.report
            from stats.reported(p_organization_id, p_period_start, p_period_end,
                                p_mapping_version, true) r);

revoke execute on function stats.reported(uuid, date, date, integer, boolean),
    stats.report_source(uuid, date, date, integer), stats.bufdir_report(uuid, date, date, integer)
    from public, anon, authenticated, service_role;
