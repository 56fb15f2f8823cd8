-- Purpose: what a period's report to Bufdir rests on: the activities, their regions, a fingerprint.
-- Locks: none. Data safety: new objects only.

-- Each chapter's region: the nearest ancestor of that kind; none where the organisation has none.
create or replace view stats.unit_regions as
    select distinct on (a.unit_id) a.unit_id as chapter_id, r.id as unit_id
    from app.unit_ancestry(array(select u.id from public.organization_units u)) a
    join public.organization_units r on r.id = a.ancestor_id and r.kind = 'region'
    order by a.unit_id, a.level;
revoke all on stats.unit_regions from public, anon, authenticated, service_role;

-- The fingerprint sees everything the report shows: the count alone would miss an edit, or one
-- added and one deleted. Hashes of rows, which all differ, joined by XOR, so it needs no order. Two
-- halves, so that the reason can be told.
-- Of contacts it sees which activities have the same one, not which: a contact that is erased gets
-- another id, and what was saved and sent stays true.
create or replace function stats.report_source(
    p_organization_id uuid, p_period_start date, p_period_end date, p_mapping_version integer,
    out record_count bigint, out fingerprint text)
    language sql stable security invoker set search_path = '' as $$
    with source as (
        select a.contact_id, hashtextextended(concat_ws('|',
                   a.id, a.chapter_id, u.id, u.name, t.id, t.code, a.bucket_date,
                   a.duration_minutes, a.participant_count), 0) as hash
        from stats.countable_activities a
        join public.activity_types t on t.id = a.activity_type_id
        left join stats.unit_regions g on g.chapter_id = a.chapter_id
        left join public.organization_units u on u.id = g.unit_id
        where a.organization_id = p_organization_id
          and a.bucket_date >= p_period_start
          and a.bucket_date < p_period_end
    ), by_contact as (
        select count(*) as record_count,
               case when s.contact_id is null then bit_xor(s.hash)
                    else hashint8extended(bit_xor(s.hash), 0) end as hash
        from source s
        group by s.contact_id
    )
    select coalesce(sum(c.record_count), 0)::bigint,
           left(md5(coalesce(sum(c.record_count), 0) || '/' || coalesce(bit_xor(c.hash), 0)), 16)
           || left(md5((
               select coalesce(string_agg(
                   m.activity_type_id || '|' || m.bufdir_category_code, ','
                   order by m.activity_type_id), '')
               from public.bufdir_category_mappings m
               join public.activity_types y on y.id = m.activity_type_id
               where y.organization_id = p_organization_id
                 and m.mapping_version = p_mapping_version)), 16)
    from by_contact c
$$;
comment on function stats.report_source(uuid, date, date, integer) is
    'How many activities a report rests on, and a fingerprint: its first half is about them and '
    'their regions, its second about the mapping.';

revoke execute on function stats.report_source(uuid, date, date, integer)
    from public, anon, authenticated, service_role;
