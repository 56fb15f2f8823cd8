-- Purpose: the yearly report to Bufdir, on the same countable activities as every statistic.
-- Locks: none. Data safety: new objects only.

-- Each chapter's region: the nearest ancestor of that kind; null where the organisation has none.
create or replace view stats.unit_regions as
    select a.unit_id as chapter_id, u.id as unit_id
    from stats.unit_ancestry a
    join public.organization_units u on u.id = a.ancestor_id and u.kind = 'region'
    where not exists (
        select from stats.unit_ancestry b join public.organization_units n on n.id = b.ancestor_id and n.kind = 'region'
        where b.unit_id = a.unit_id and n.parent_id = u.id);
revoke all on stats.unit_regions from public, anon, authenticated, service_role;

-- What a period's report rests on, with a fingerprint that sees everything the report shows: the count alone would miss
-- an edit, or one added and one deleted. Hashes of rows, which all differ, joined by XOR, so it needs no order. Two halves,
-- so that the reason can be told.
-- Of contacts it sees which activities have the same one, not which: a contact that is erased gets another id, and what
-- was saved and sent stays true.
create or replace function stats.report_source(p_organization_id uuid, p_period_start date, p_period_end date, p_mapping_version integer,
                                               out record_count bigint, out fingerprint text)
    language sql stable security invoker set search_path = '' as $$
    with source as (
        select a.contact_id, hashtextextended(
                   concat_ws('|', a.id, a.chapter_id, u.id, u.name, t.id, t.code, a.bucket_date,
                             a.duration_minutes, a.participant_count), 0) as hash
        from stats.countable_activities a
        join public.activity_types t on t.id = a.activity_type_id
        left join stats.unit_regions g on g.chapter_id = a.chapter_id
        left join public.organization_units u on u.id = g.unit_id
        where a.organization_id = p_organization_id
          and a.occurred_at >= p_period_start::timestamp at time zone 'UTC' and a.occurred_at < p_period_end::timestamp at time zone 'UTC'
    ), by_contact as (
        select count(*) as record_count,
               case when s.contact_id is null then bit_xor(s.hash)
                    else hashint8extended(bit_xor(s.hash), 0) end as hash
        from source s group by s.contact_id
    )
    select coalesce(sum(c.record_count), 0)::bigint,
           left(md5(coalesce(sum(c.record_count), 0) || '/' || coalesce(bit_xor(c.hash), 0)), 16)
           || left(md5((select coalesce(string_agg(m.activity_type_id || '|' || m.bufdir_category_code, ',' order by m.activity_type_id), '')
                        from public.bufdir_category_mappings m join public.activity_types y on y.id = m.activity_type_id
                        where y.organization_id = p_organization_id and m.mapping_version = p_mapping_version)), 16)
    from by_contact c
$$;
comment on function stats.report_source(uuid, date, date, integer) is
    'How many activities a report rests on, and a fingerprint: its first half is about them and their regions, its second about the mapping.';

create or replace function stats.bufdir_report(p_organization_id uuid, p_period_start date, p_period_end date, p_mapping_version integer) returns jsonb
    language sql stable security invoker set search_path = '' as $$
    with countable as materialized (
        select a.chapter_id, a.activity_type_id, a.duration_minutes, a.participant_count, a.contact_id,
               m.bufdir_category_code as category, r.unit_id as region_id
        from stats.countable_activities a
        left join public.bufdir_category_mappings m on m.activity_type_id = a.activity_type_id and m.mapping_version = p_mapping_version
        left join stats.unit_regions r on r.chapter_id = a.chapter_id
        where a.organization_id = p_organization_id
          and a.occurred_at >= p_period_start::timestamp at time zone 'UTC' and a.occurred_at < p_period_end::timestamp at time zone 'UTC'
    ), grouped as (
        -- a person counts once in each group, whether met directly or registered by proxy
        select grouping(c.category, c.activity_type_id, c.region_id) as part, c.category, c.activity_type_id, c.region_id,
               jsonb_build_object('activity_count', count(*), 'total_hours', stats.hours(coalesce(sum(c.duration_minutes), 0)::bigint),
                                  'distinct_participants', count(distinct c.contact_id),
                                  'participant_count', coalesce(sum(c.participant_count), 0)) as figures
        from countable c
        group by grouping sets ((c.category), (c.category, c.activity_type_id), (c.region_id), ())
    )
    select jsonb_build_object(
        'organization_id', p_organization_id, 'period_start', p_period_start, 'period_end', p_period_end,
        'mapping_version', p_mapping_version,
        'categories', coalesce((select jsonb_agg(jsonb_build_object('bufdir_category_code', g.category) || g.figures order by g.category)
                                from grouped g where g.part = 3 and g.category is not null), '[]'),
        'uncategorised', coalesce((select jsonb_agg(jsonb_build_object('activity_type_id', g.activity_type_id, 'activity_type_code', t.code)
                                                    || g.figures order by t.code)
                                   from grouped g join public.activity_types t on t.id = g.activity_type_id
                                   where g.part = 1 and g.category is null), '[]'),
        'regions', coalesce((select jsonb_agg(jsonb_build_object('region_unit_id', g.region_id, 'region_name', u.name) || g.figures
                                              order by u.name, g.region_id)
                             from grouped g left join public.organization_units u on u.id = g.region_id where g.part = 6), '[]'),
        'totals', (select g.figures from grouped g where g.part = 7))
$$;
comment on function stats.bufdir_report(uuid, date, date, integer) is
    'Per category, region and in all; from p_period_start to before p_period_end, UTC days; types without a category stand in uncategorised.';

create or replace function app.require_report(p_org_id uuid, p_period_start date, p_period_end date) returns void
    language plpgsql stable security definer set search_path = '' as $$   -- DEFINER: as every question about the caller
begin
    if p_org_id is null or p_period_start is null or p_period_end is null then
        raise exception 'organisation, period_start and period_end are needed' using errcode = 'invalid_parameter_value';
    end if;
    if p_period_end < p_period_start then
        raise exception 'period_end is before period_start' using errcode = 'invalid_parameter_value';
    end if;
    if p_org_id is distinct from app.member_org_id() then
        raise exception 'not your organisation' using errcode = 'insufficient_privilege';
    end if;
    if app.statistics_org_id() is null then
        raise exception 'the statistics of this organisation are switched off' using errcode = 'PT423';
    end if;
end $$;

create or replace function app.generate_bufdir_report(p_org_id uuid, p_period_start date, p_period_end date, p_mapping_version integer) returns jsonb
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: sums over all chapters, after its check
begin
    perform app.require_report(p_org_id, p_period_start, p_period_end);
    if p_mapping_version <> 0 and not exists (   -- 0: without a mapping
        select from public.bufdir_category_mappings m join public.activity_types t on t.id = m.activity_type_id
        where m.mapping_version = p_mapping_version and t.organization_id = p_org_id) then
        raise exception 'there is no mapping of this version' using errcode = 'invalid_parameter_value';
    end if;
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    return stats.bufdir_report(p_org_id, p_period_start, p_period_end,
                               coalesce(p_mapping_version, stats.current_mapping_version(p_org_id), 0));
end $$;

create or replace function public.generate_bufdir_report(p_org_id uuid, p_period_start date, p_period_end date,
                                                         p_mapping_version integer default null) returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.generate_bufdir_report(p_org_id, p_period_start, p_period_end, p_mapping_version);
comment on function public.generate_bufdir_report(uuid, date, date, integer) is
    'The Bufdir report of the caller''s organisation; start included, end excluded, UTC; the newest mapping unless one is named.';

revoke execute on function stats.report_source(uuid, date, date, integer), stats.bufdir_report(uuid, date, date, integer),
    app.require_report(uuid, date, date), app.generate_bufdir_report(uuid, date, date, integer),
    public.generate_bufdir_report(uuid, date, date, integer) from public, anon, authenticated, service_role;
grant execute on function app.generate_bufdir_report(uuid, date, date, integer), public.generate_bufdir_report(uuid, date, date, integer)
    to authenticated;
