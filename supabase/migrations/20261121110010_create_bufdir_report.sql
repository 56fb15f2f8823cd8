-- Purpose: the yearly report to Bufdir, on the same countable activities as every statistic.
-- Locks: none. Data safety: new objects only.

-- The activities are read once, for the report and its fingerprint, and each contact is kept once:
-- with a bit for each type and each region in which they were met. So whoever was met in several
-- counts once in each part of the report; and those met in the same ones are one row. It must know
-- the period, or it plans for a few rows; and it would sort the activities to merge them with the
-- chapters. Without p_is_whole, the report is null, and not computed.
--
-- The fingerprint sees everything the report shows: the count alone would miss an edit, or one
-- added and one deleted. Hashes of rows, which all differ, joined by XOR, so it needs no order.
-- Of contacts it sees which activities have the same one, not which: a contact that is erased gets
-- another id, and what was saved and sent stays true.
create or replace function stats.reported(
    p_organization_id uuid, p_period_start date, p_period_end date, p_mapping_version integer,
    p_is_whole boolean, out record_count bigint, out fingerprint text, out report jsonb)
    language plpgsql stable security invoker set search_path = ''
    set plan_cache_mode = force_custom_plan set work_mem = '64MB' set hash_mem_multiplier = 4
    set enable_mergejoin = off as $$
begin
    with source as materialized (
        select grouping(a.contact_id) = 0 as is_contact, a.contact_id, a.activity_type_id,
               a.region_id, count(*) as number, sum(a.duration_minutes) as minutes,
               sum(a.participant_count) as participants, bit_or(a.type_bit) as types,
               bit_or(a.region_bit) as regions, bit_xor(a.hash) as hash
        from stats.report_rows a
        where a.organization_id = p_organization_id
          and a.bucket_date >= p_period_start and a.bucket_date < p_period_end
        group by grouping sets ((a.contact_id), (a.activity_type_id, a.region_id))
    ), contacts as (
        select s.number, case when s.contact_id is null then s.hash
                              else hashint8extended(s.hash, 0) end as hash
        from source s where s.is_contact
    ), met as materialized (
        select s.types, s.regions, count(*) as people
        from source s where s.contact_id is not null group by 1, 2
    ), parts as (
        select grouping(m.bufdir_category_code, s.activity_type_id, s.region_id) as part,
               m.bufdir_category_code as category, s.activity_type_id, s.region_id,
               sum(s.number) as number, sum(s.minutes) as minutes,
               sum(s.participants) as participants, bit_or(s.types) as types,
               bit_or(s.regions) as regions
        from source s
        left join public.bufdir_category_mappings m
            on m.activity_type_id = s.activity_type_id and m.mapping_version = p_mapping_version
        where not s.is_contact
        group by grouping sets (
            (m.bufdir_category_code), (m.bufdir_category_code, s.activity_type_id),
            (s.region_id), ())
    ), grouped as (
        -- a person counts once in each part, whether met directly or registered by proxy
        select p.part, p.category, p.activity_type_id, p.region_id,
               jsonb_build_object(
                   'activity_count', coalesce(p.number, 0),
                   'total_hours', stats.hours(coalesce(p.minutes, 0)::bigint),
                   'distinct_participants', (
                       select coalesce(sum(m.people), 0)
                       from met m
                       where bit_count(m.types & p.types) > 0
                         and bit_count(m.regions & p.regions) > 0),
                   'participant_count', coalesce(p.participants, 0)) as figures
        from parts p
    )
    select coalesce(sum(c.number), 0)::bigint,
           left(md5(coalesce(sum(c.number), 0) || '/' || coalesce(bit_xor(c.hash), 0)), 16)
               || stats.mapping_fingerprint(p_organization_id, p_mapping_version),
           case when p_is_whole then jsonb_build_object(
               'organization_id', p_organization_id,
               'period_start', p_period_start, 'period_end', p_period_end,
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
