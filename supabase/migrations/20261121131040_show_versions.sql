-- Purpose: what a version keeps beside its figures, and how it is shown to whom.
-- Locks: none. Data safety: reads only.

-- The mapping as people read it, so that a version can be read when types are long gone.
create or replace function stats.report_mapping(p_organization_id uuid, p_mapping_version integer)
    returns jsonb
    language sql stable security invoker set search_path = ''
    return coalesce((
        select jsonb_agg(jsonb_build_object(
                   'activity_type_id', t.id, 'activity_type_code', t.code, 'label', t.label,
                   'bufdir_category_code', m.bufdir_category_code) order by t.code)
        from public.activity_types t
        left join public.bufdir_category_mappings m
            on m.activity_type_id = t.id and m.mapping_version = p_mapping_version
        where t.organization_id = p_organization_id), '[]');

-- The rule as the database applies it, and what it says of each type from when on.
create or replace function stats.report_counting_rule(p_organization_id uuid) returns jsonb
    language sql stable security invoker set search_path = ''
    return jsonb_build_object(
        'counts_in_statistics', (
            select string_agg(p.prosrc, E'\n' order by p.oid) from pg_catalog.pg_proc p
            where p.proname = 'counts_in_statistics'
              and p.pronamespace = 'stats'::regnamespace),
        'rules', coalesce((
            select jsonb_agg(to_jsonb(r) order by r.activity_type_id, r.valid_from)
            from public.counting_rules r
            join public.activity_types t on t.id = r.activity_type_id
            where t.organization_id = p_organization_id), '[]'));

create or replace function stats.shown_signature(p_profile_id uuid, p_at timestamptz)
    returns jsonb
    language sql stable security invoker set search_path = ''
    return (
        select jsonb_build_object(
                   'profile_id', p.id, 'name', p.display_name, 'at', p_at,
                   'local_at', to_char(p_at at time zone o.time_zone, 'YYYY-MM-DD HH24:MI'))
        from public.profiles p
        join public.organization_settings o on o.organization_id = p.organization_id
        where p.id = p_profile_id);

-- A version as the caller may see it; a step that was not taken is null.
create or replace function stats.shown_version(p_version public.bufdir_report_versions)
    returns jsonb
    language sql stable security invoker set search_path = ''
    return jsonb_build_object(
        'id', p_version.id,
        'organization_id', p_version.organization_id,
        'organization_name', (select o.name from public.organizations o
                              where o.id = p_version.organization_id),
        'period_start', p_version.period_start,
        'period_end', p_version.period_end,
        'version', p_version.version,
        'report', case when app.reads_whole_organization()
                       then (select c.report from stats.complete_versions c
                             where c.version_id = p_version.id)
                       else p_version.snapshot_json end,
        'record_count', p_version.record_count,
        'source_fingerprint', p_version.source_fingerprint,
        'mapping_version', p_version.mapping_version,
        'mapping', p_version.mapping,
        'counting_rule', p_version.counting_rule,
        'previous_hash', p_version.previous_hash,
        'hash', p_version.hash,
        'prepared', stats.shown_signature(p_version.prepared_by, p_version.prepared_at),
        'approved', stats.shown_signature(p_version.approved_by, p_version.approved_at),
        'sent', stats.shown_signature(p_version.sent_by, p_version.sent_at));

revoke execute on function stats.report_mapping(uuid, integer), stats.report_counting_rule(uuid),
    stats.shown_signature(uuid, timestamptz), stats.shown_version(public.bufdir_report_versions)
    from public, anon, authenticated, service_role;
