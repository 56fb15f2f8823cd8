-- Purpose: what a period's report to Bufdir rests on: activities, their types and regions, the
-- mapping.
-- Locks: none. Data safety: new objects only.

-- Each chapter's region: the nearest ancestor of that kind; none where the organisation has none.
create or replace view stats.unit_regions as
    select distinct on (a.unit_id) a.unit_id as chapter_id, r.id as unit_id
    from app.unit_ancestry(array(select u.id from public.organization_units u)) a
    join public.organization_units r on r.id = a.ancestor_id and r.kind = 'region'
    order by a.unit_id, a.level;

-- One bit for each type of an organisation.
create or replace view stats.type_bits as
    select t.organization_id, t.id as activity_type_id,
           set_bit(repeat('0', (count(*) over w)::integer)::bit varying,
                   (row_number() over w)::integer - 1, 1) as bit,
           hash_record_extended(row(t.id, t.code), 0) as hash
    from public.activity_types t
    window w as (partition by t.organization_id);

-- And for each region, with one for the chapters that have none.
create or replace view stats.chapter_bits as
    select c.organization_id, c.id as chapter_id, r.id as region_id, r.bit, r.hash
    from public.organization_units c
    left join stats.unit_regions n on n.chapter_id = c.id
    join (
        select u.organization_id, u.id,
               set_bit(repeat('0', (count(*) over w)::integer)::bit varying,
                       (row_number() over w)::integer - 1, 1) as bit,
               hash_record_extended(row(u.id, u.name), 0) as hash
        from (
            select v.organization_id, v.id, v.name
            from public.organization_units v where v.kind = 'region'
            union all
            select o.id, null, null from public.organizations o
        ) u
        window w as (partition by u.organization_id)
    ) r on r.organization_id = c.organization_id and r.id is not distinct from n.unit_id;

create or replace view stats.report_rows as
    select a.organization_id, a.bucket_date, a.contact_id, a.duration_minutes, a.participant_count,
           a.activity_type_id, t.bit as type_bit, c.region_id, c.bit as region_bit,
           hash_record_extended(row(
               a.id, a.chapter_id, a.bucket_date, a.duration_minutes, a.participant_count,
               t.hash, c.hash), 0) as hash
    from stats.countable_activities a
    join stats.type_bits t using (organization_id, activity_type_id)
    join stats.chapter_bits c using (organization_id, chapter_id);
comment on view stats.report_rows is
    'The activities that count as a report sees them: a bit for each type and region of their '
    'organisation, and a hash of everything of them that it shows.';

revoke all on stats.unit_regions, stats.type_bits, stats.chapter_bits, stats.report_rows
    from public, anon, authenticated, service_role;

create or replace function stats.mapping_fingerprint(
    p_organization_id uuid, p_mapping_version integer)
    returns text
    language sql stable security invoker set search_path = ''
    return left(md5((
        select coalesce(string_agg(
            m.activity_type_id || '|' || m.bufdir_category_code, ',' order by m.activity_type_id),
            '')
        from public.bufdir_category_mappings m
        join public.activity_types y on y.id = m.activity_type_id
        where y.organization_id = p_organization_id
          and m.mapping_version = p_mapping_version)), 16);

revoke execute on function stats.mapping_fingerprint(uuid, integer)
    from public, anon, authenticated, service_role;
