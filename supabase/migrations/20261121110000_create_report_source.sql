-- Purpose: what a period's report to Bufdir rests on beside the activities: regions, the mapping.
-- Locks: none. Data safety: new objects only.

-- Each chapter's region: the nearest ancestor of that kind; none where the organisation has none.
create or replace view stats.unit_regions as
    select distinct on (a.unit_id) a.unit_id as chapter_id, r.id as unit_id
    from app.unit_ancestry(array(select u.id from public.organization_units u)) a
    join public.organization_units r on r.id = a.ancestor_id and r.kind = 'region'
    order by a.unit_id, a.level;
revoke all on stats.unit_regions from public, anon, authenticated, service_role;

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
